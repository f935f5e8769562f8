"""Imported images, shared by all machines: fetched once, kept by what they are, removed when nothing stands on them."""
