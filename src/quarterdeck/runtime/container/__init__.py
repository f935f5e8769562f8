"""What surrounds a machine that runs in a container."""
