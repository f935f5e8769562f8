"""The whole command line, for help, shell completion and everyone who asks what commands there are."""

from __future__ import annotations

from quarterdeck.cli.commands import build

app = build()
