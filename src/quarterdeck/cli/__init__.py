"""The command line: one file for each command group; the only place with typer and rich."""
