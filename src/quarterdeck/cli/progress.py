"""Live steps on a terminal, plain lines in a log, JSON lines for programs; always on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any, Protocol

from quarterdeck.cli.output import Progress as Mode
from quarterdeck.cli.output import say
from quarterdeck.core.size import format_size

_TENTHS = 10
_QUIET_SECONDS = 10
_TITLES = {"host": "Host", "image": "Image", "disk": "Disk", "qemu": "QEMU", "console": "Console", "guest": "Guest"}
_LEVEL_STYLES = {"warning": "yellow", "error": "red"}
_RELEVANT = frozenset({"step", "message", "state"})


class Renderer(Protocol):
    """Shows the events of one machine until closed."""

    def show(self, kind: str, data: dict[str, Any]) -> None:
        """Show one event of type ``kind``."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def renderer(mode: Mode) -> Renderer:
    """Return the renderer for ``mode``."""
    settled = mode.settled()
    if settled is Mode.JSON:
        return JsonRenderer()
    if settled is Mode.PLAIN:
        return PlainRenderer()
    from quarterdeck.cli.live import LiveRenderer

    return LiveRenderer()


def title(data: dict[str, Any]) -> str:
    """Return the name of a step as people read it."""
    step = str(data.get("step", ""))
    return _TITLES.get(step, step)


def level_style(data: dict[str, Any]) -> str:
    """Return the style of a message."""
    return _LEVEL_STYLES.get(str(data.get("level")), "")


def amount(data: dict[str, Any]) -> str:
    """Return how far a step is, in words: ``3 of 8``, ``1.5 MiB``."""
    done, total = data.get("done"), data.get("total")
    if not isinstance(done, int):
        return ""
    show = format_size if data.get("unit") == "bytes" else str
    return f"{show(done)} of {show(total)}" if isinstance(total, int) else show(done)


class JsonRenderer:
    """One JSON object a line."""

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if kind in _RELEVANT:
            sys.stderr.write(json.dumps({"type": kind, **data}, ensure_ascii=False) + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Nothing to restore."""


class PlainRenderer:
    """A line for each thing that changes; of a long step one for each tenth, or every ten seconds where nobody knows how long it is."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, int]] = {}

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "message":
            say(str(data.get("text", "")), level_style(data))
        elif kind == "step":
            self._step(data)

    def _step(self, data: dict[str, Any]) -> None:
        step, status = str(data.get("step", "")), str(data.get("status", ""))
        now = (status, _pace(data))
        if self._last.get(step) == now:
            return
        self._last[step] = now
        done = amount(data) if status == "running" else ""
        mark = {"done": "ok", "failed": "FAILED"}.get(status, "...")
        say(f"{title(data):<8} {mark:<6} {data.get('detail', '')}{f' ({done})' if done else ''}".rstrip())

    def close(self) -> None:
        """Nothing to restore."""


def _pace(data: dict[str, Any]) -> int:
    """Return a number that changes when a running step is worth another line."""
    done, total = data.get("done"), data.get("total")
    if isinstance(done, int) and isinstance(total, int) and total:
        return -1 - done * _TENTHS // total
    return int(data.get("time", 0)) // _QUIET_SECONDS
