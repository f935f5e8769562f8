"""Quarterdeck: one tool for people who run QEMU and containers together."""

__version__ = "0.1.0"
