"""Benchmarks: figures against a named baseline that is measured in the same run, on the same host, in turns."""
