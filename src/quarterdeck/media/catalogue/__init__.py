"""The catalogue: what can be booted by name, where its publisher has it, and what proves that it is the right file."""
