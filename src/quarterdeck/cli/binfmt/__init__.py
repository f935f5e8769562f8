"""``qd binfmt``: emulators of foreign programs."""
