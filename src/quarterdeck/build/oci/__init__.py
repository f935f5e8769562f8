"""OCI images as values and files: read with distrust, merged into one index, written, pushed and loaded."""
