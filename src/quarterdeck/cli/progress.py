"""Live steps on a terminal, plain lines in a log, JSON lines for programs; always on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from quarterdeck.cli.output import Progress as Mode
from quarterdeck.cli.output import messages, say
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
    return LiveRenderer() if settled is Mode.TTY else PlainRenderer()


def _title(data: dict[str, Any]) -> str:
    step = str(data.get("step", ""))
    return _TITLES.get(step, step)


def _amount(data: dict[str, Any]) -> str:
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
            say(str(data.get("text", "")), _LEVEL_STYLES.get(str(data.get("level")), ""))
        elif kind == "step":
            self._step(data)

    def _step(self, data: dict[str, Any]) -> None:
        step, status = str(data.get("step", "")), str(data.get("status", ""))
        now = (status, _pace(data))
        if self._last.get(step) == now:
            return
        self._last[step] = now
        amount = _amount(data) if status == "running" else ""
        mark = {"done": "ok", "failed": "FAILED"}.get(status, "...")
        say(f"{_title(data):<8} {mark:<6} {data.get('detail', '')}{f' ({amount})' if amount else ''}".rstrip())

    def close(self) -> None:
        """Nothing to restore."""


def _pace(data: dict[str, Any]) -> int:
    """Return a number that changes when a running step is worth another line."""
    done, total = data.get("done"), data.get("total")
    if isinstance(done, int) and isinstance(total, int) and total:
        return -1 - done * _TENTHS // total
    return int(data.get("time", 0)) // _QUIET_SECONDS


class _StepBar(ProgressColumn):
    """A bar where the total is known, nothing otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = BarColumn(bar_width=24)

    def render(self, task: Task) -> Any:
        return self._bar.render(task) if task.total and not task.finished else Text("")


class LiveRenderer:
    """All steps at once, the running ones with a spinner and a bar."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text=Text("✓", style="green")),
            TextColumn("{task.fields[title]}", style="bold"),
            TextColumn("{task.description}"),
            _StepBar(),
            TextColumn("{task.fields[amount]}", style="dim"),
            TimeElapsedColumn(),
            console=messages,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "message":
            style = _LEVEL_STYLES.get(str(data.get("level")), "")
            self._progress.console.print(Text(str(data.get("text", "")), style=style))
        elif kind == "step":
            self._step(data)

    def _step(self, data: dict[str, Any]) -> None:
        step, status = str(data.get("step", "")), data.get("status")
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task("", title=f"{_title(data):<8}", amount="", total=None)
        task = self._tasks[step]
        done, total = data.get("done"), data.get("total")
        description = Text(str(data.get("detail", ""))).markup
        if status == "running":
            self._progress.update(task, description=description, completed=done or 0, total=total, amount=_amount(data))
            return
        self._progress.update(task, description=description, completed=1, total=1, amount="")
        if status == "failed":
            self._progress.update(task, title=f"[red]{_title(data):<8}[/red]")
        self._progress.stop_task(task)

    def close(self) -> None:
        self._progress.stop()
