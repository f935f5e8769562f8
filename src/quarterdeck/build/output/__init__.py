"""Where a finished image goes: a registry, an engine's store, a file. It is never left in a builder's cache."""
