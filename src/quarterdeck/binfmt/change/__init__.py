"""Changes of the registry: planned from values, applied as a whole, undone when a step fails."""
