"""The commands by name. Only the one that is called is imported: that is what makes ``qd`` start quickly."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

import quarterdeck
from quarterdeck.cli.group import QuarterdeckCommand, QuarterdeckGroup

_RUN = "Run machines"
_LIFE = "Life of a machine"
_WATCH = "Look inside"
_HOST = "This host"


@dataclass(frozen=True)
class Entry:
    """One command: the heading it stands below in the help, and where its function is."""

    panel: str
    module: str
    function: str

    def load(self) -> Any:
        """Import the command's function."""
        return getattr(importlib.import_module(f"quarterdeck.cli.{self.module}"), self.function)


COMMANDS: Mapping[str, Entry] = {
    "run": Entry(_RUN, "run", "run"),
    "explain": Entry(_RUN, "explain", "explain"),
    "schema": Entry(_RUN, "schema", "schema"),
    "ls": Entry(_LIFE, "listing", "ls"),
    "inspect": Entry(_LIFE, "listing", "inspect"),
    "start": Entry(_LIFE, "start", "start"),
    "stop": Entry(_LIFE, "life", "stop"),
    "restart": Entry(_LIFE, "life", "restart"),
    "pause": Entry(_LIFE, "life", "pause"),
    "resume": Entry(_LIFE, "life", "resume"),
    "rm": Entry(_LIFE, "remove", "rm"),
    "open": Entry(_WATCH, "screen", "open_console"),
    "serial": Entry(_WATCH, "serial", "serial"),
    "logs": Entry(_WATCH, "logs", "logs"),
    "screenshot": Entry(_WATCH, "screen", "screenshot"),
    "doctor": Entry(_HOST, "doctor", "doctor"),
}


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with the commands ``names``."""
    app = typer.Typer(
        name="qd",
        cls=QuarterdeckGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names:
        entry = COMMANDS[name]
        app.command(name, cls=QuarterdeckCommand, rich_help_panel=entry.panel)(entry.load())
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Run virtual machines and watch them in the browser."""
