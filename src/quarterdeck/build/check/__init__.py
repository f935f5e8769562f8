"""Proves that an image is what its index says: every program in it, every platform, every configuration."""
