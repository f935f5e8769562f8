"""How a build of several platforms is shown: live on a terminal, as lines in a log, as JSON for programs, or only what goes wrong.

Always on stderr: stdout belongs to results.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import RunEvent, RunReporter
from quarterdeck.cli.build.progress.board import Board
from quarterdeck.cli.build.progress.clean import cleaned
from quarterdeck.cli.build.progress.foresight import Foresight
from quarterdeck.cli.output import Progress, messages

if TYPE_CHECKING:
    from quarterdeck.build.planning.model import BuildPlan


class View(Protocol):
    """Shows the events of one build until closed. One thread calls it."""

    def show(self, event: RunEvent) -> None:
        """Show one event, whose texts are clean."""

    def close(self) -> None:
        """Leave the terminal as it was."""


@contextmanager
def open_view(
    mode: Progress,
    platforms: Sequence[Platform],
    *,
    plan: BuildPlan | None = None,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[RunReporter]:
    """Show a build for as long as the block lasts, whichever way it ends; yield what takes its events.

    Args:
        mode: how; ``auto`` is live on a terminal that can, lines elsewhere.
        platforms: what will be built, in the order in which it is shown. Others that turn up are added.
        plan: tells how many steps there will be and which of them are emulated, where the engine's own words do not.
        quiet: show only errors and the last lines of what failed; with ``json`` only these are reported too.
        clock: seconds of a clock that never goes back.

    The reporter never raises for an event, in whatever order events come, and may be called after the end.
    """
    view = _view(mode, Board(platforms, Foresight(plan), clock), quiet=quiet)
    try:
        yield lambda event: view.show(cleaned(event))
    finally:
        view.close()


def _view(mode: Progress, board: Board, *, quiet: bool) -> View:
    """Return the view; only what it needs is imported."""
    if mode is Progress.AUTO and messages.is_dumb_terminal:
        mode = Progress.PLAIN
    mode = mode.settled()
    if mode is Progress.JSON:
        from quarterdeck.cli.build.progress.lines import JsonView

        return JsonView(board, quiet=quiet)
    if quiet:
        from quarterdeck.cli.build.progress.quiet import QuietView

        return QuietView(board)
    if mode is Progress.PLAIN:
        from quarterdeck.cli.build.progress.plain import PlainView

        return PlainView(board)
    from quarterdeck.cli.build.progress.live import LiveView

    return LiveView(board)
