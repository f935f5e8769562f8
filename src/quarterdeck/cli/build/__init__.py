"""The commands about images for many platforms."""
