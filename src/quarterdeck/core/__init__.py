"""Building blocks without domain knowledge: processes, files, sizes, paths, the architecture table."""
