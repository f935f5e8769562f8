"""Progress for logs: plain lines."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.output import say
from quarterdeck.cli.progress.words import amount, level_style, title

_TENTHS = 10
_QUIET_SECONDS = 10


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
