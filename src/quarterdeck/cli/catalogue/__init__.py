"""The commands of ``qd catalogue``."""
