"""Machines, at rest or running, as something to export."""
