"""The commands of ``qd nodes``."""
