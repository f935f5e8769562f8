"""The web console and HTTP API of a machine, served by its supervisor."""
