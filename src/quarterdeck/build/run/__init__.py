"""Builds of several platforms at once: each on its node, moved when a node dies, merged to one image at the end."""
