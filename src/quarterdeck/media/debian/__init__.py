"""Debian guests made from the Debian mirror: what is asked for, what goes in, and how the disk is put together."""
