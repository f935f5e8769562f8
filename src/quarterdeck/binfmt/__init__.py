"""Emulators of foreign programs: found, registered with the kernel's binfmt_misc, kept, and proved."""
