"""Images: formats, overlays, seeds, and Debian guests made from the Debian mirror."""
