"""What people and scripts see: results on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.text import Text

from quarterdeck.errors import QuarterdeckError

results = Console(highlight=False, soft_wrap=True)
messages = Console(stderr=True, highlight=False, soft_wrap=True)

_STATE_STYLES = {
    "ready": "green",
    "running": "green",
    "starting": "cyan",
    "preparing": "cyan",
    "paused": "yellow",
    "stopping": "yellow",
    "io-error": "red",
    "panicked": "red",
    "crashed": "red",
    "unknown": "red",
}


class Progress(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    TTY = "tty"
    PLAIN = "plain"
    JSON = "json"

    def settled(self) -> Progress:
        """Return the mode that ``auto`` means for this terminal."""
        if self is not Progress.AUTO:
            return self
        return Progress.TTY if messages.is_terminal else Progress.PLAIN


def print_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def styled_state(state: str) -> Text:
    """Return a machine's state in its colour."""
    return Text(state, style=_STATE_STYLES.get(state, ""))


def say(text: str, style: str = "") -> None:
    """Print one message for people on stderr."""
    messages.print(Text(text, style=style))


def show_error(error: QuarterdeckError) -> None:
    """Print what happened, why, and how to go on."""
    messages.print(Text.assemble(("error: ", "bold red"), _printable(error.message)))
    if error.reason:
        messages.print(Text(_indented("  why: ", error.reason)))
    if error.hint:
        messages.print(Text(_indented("  fix: ", error.hint)))


def show_error_as_json(error: QuarterdeckError, *, as_event: bool = False) -> None:
    """Print the same on stderr as one JSON object, for scripts; ``as_event`` as the last line of ``--progress json``."""
    event = {"type": "error", "time": time.time()} if as_event else {}
    sys.stderr.write(json.dumps({**event, **error.to_json()}, ensure_ascii=False) + "\n")


def _indented(label: str, text: str) -> str:
    return label + _printable(text).replace("\n", "\n" + " " * len(label))


def _printable(text: str) -> str:
    """Names of files and stages are others' words: what a terminal would obey is shown instead."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)
