"""Commands on images: ``qd image check``."""
