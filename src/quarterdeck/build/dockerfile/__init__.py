"""Dockerfiles as BuildKit reads them: text to instructions, variables, mounts, and the files that a context leaves out."""
