"""Where single-platform builds run: this host, engines elsewhere, machines of our own."""
