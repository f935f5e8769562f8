"""Tiny static programs for every emulated architecture, assembled here: proof of an emulator without a compiler.

``build.build(arch, probe)`` returns one; ``source`` is what they do, one module per family of instruction sets is how.
"""
