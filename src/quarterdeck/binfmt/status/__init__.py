"""The state of emulation on this host: facts, what is wrong with them, and what mends it."""
