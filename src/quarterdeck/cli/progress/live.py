"""Live steps on a terminal: all at once, the running ones with a spinner and a bar."""

from __future__ import annotations

from typing import Any

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.spinner import Spinner
from rich.table import Column
from rich.text import Text

from quarterdeck.cli.output import messages
from quarterdeck.cli.progress.words import amount, level_style, title


class LiveRenderer:
    """Draws the steps of one machine until closed; messages scroll by above them."""

    def __init__(self) -> None:
        self._progress = Progress(
            _Mark(),
            TextColumn("{task.fields[title]}", style="bold", markup=False),
            _Detail(),
            _Bar(),
            TextColumn("{task.fields[amount]}", style="dim", markup=False),
            _Elapsed(),
            console=messages,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "message":
            self._progress.console.print(Text(str(data.get("text", "")), style=level_style(data)))
        elif kind == "step":
            self._step(data)

    def _step(self, data: dict[str, Any]) -> None:
        step, status = str(data.get("step", "")), str(data.get("status", ""))
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task("", title=f"{title(data):<8}", amount="", status="", total=None)
        running = status == "running"
        self._progress.update(
            self._tasks[step],
            description=str(data.get("detail", "")),
            completed=data.get("done") or 0,
            total=data.get("total"),
            amount=amount(data) if running else "",
            status=status,
        )
        (self._progress.start_task if running else self._progress.stop_task)(self._tasks[step])

    def close(self) -> None:
        for task in self._progress.tasks:
            if task.fields["status"] == "running":
                self._progress.update(task.id, status="left")
        self._progress.stop()


class _Mark(ProgressColumn):
    """What became of a step: a tick, a cross, or a spinner; a dot where nobody looks any more."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))
        rich_characters = messages.encoding.lower().startswith("utf")
        self._spinner = Spinner("dots" if rich_characters else "line", style="cyan")
        tick, cross, dot = ("✓", "✗", "·") if rich_characters else ("+", "x", "-")
        self._marks = {"done": Text(tick, style="green"), "failed": Text(cross, style="red"), "left": Text(dot, style="dim")}

    def render(self, task: Task) -> Any:
        return self._marks.get(task.fields["status"]) or self._spinner.render(task.get_time())


class _Detail(ProgressColumn):
    """What a step does, cut to the room there is while it changes all the time; what came of it, in full."""

    def render(self, task: Task) -> Text:
        return Text(task.description, overflow="ellipsis", no_wrap=task.fields["status"] == "running")


class _Bar(ProgressColumn):
    """A bar where a running step knows its total, nothing otherwise."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))
        self._bar = BarColumn(bar_width=24)

    def render(self, task: Task) -> Any:
        return self._bar.render(task) if task.total and task.fields["status"] == "running" else Text("")


class _Elapsed(ProgressColumn):
    """How long a step took, when one had to wait for it."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        seconds = int(task.elapsed or 0)
        return Text(f"{seconds // 60}:{seconds % 60:02}" if seconds else "", style="dim")
