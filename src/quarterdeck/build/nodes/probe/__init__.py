"""Nodes asked what they are: each in its own way, all at once, each within its time."""
