"""A BuildKit daemon asked directly: one call of its gRPC API, ListWorkers, over any byte stream."""
