"""Progress on a terminal, drawn anew several times a second; messages and the last lines of failures scroll by above."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from quarterdeck.build.run.events import Progressed, RunEvent
from quarterdeck.cli.build.progress.board import Board
from quarterdeck.cli.build.progress.frame import frame
from quarterdeck.cli.build.progress.marks import ASCII, RICH
from quarterdeck.cli.build.progress.words import failure_lines
from quarterdeck.cli.output import messages
from quarterdeck.core.report import Level, Message

_FRAMES_EACH_SECOND = 8
_STYLES = {Level.WARNING: "yellow", Level.ERROR: "red"}


class LiveView:
    """Draws a board until closed. A thread of its own redraws, so that times go on while nothing happens."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._drawn = _Drawn(board, self._lock)
        self._live = Live(
            console=messages,
            get_renderable=self._next,
            refresh_per_second=_FRAMES_EACH_SECOND,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        self._live.start()

    def show(self, event: RunEvent) -> None:
        # Printing needs the display's lock, whose holder waits for ours: so it comes after.
        with self._lock:
            failure = self._board.take(event)
        for number, line in enumerate(failure_lines(failure) if failure is not None else ()):
            self._print(line, "dim" if number else "red")
        match event:
            case Progressed(platform=platform, event=Message(level=level, text=text)) if level is not Level.INFO:
                self._print(f"{platform} {level.value}: {text}", _STYLES.get(level, ""))
            case Message(level=level, text=text):
                self._print(text, _STYLES.get(level, ""))
            case _:
                pass

    def close(self) -> None:
        with self._lock:
            self._board.leave()
            self._drawn.last = True
        self._live.stop()

    def _print(self, text: str, style: str) -> None:
        messages.print(Text(text, style=style))

    def _next(self) -> _Drawn:
        self._drawn.make_room(messages)
        return self._drawn


class _Drawn:
    """The board as it is whenever it is drawn, in the room that there is then."""

    def __init__(self, board: Board, lock: threading.Lock) -> None:
        self._board = board
        self._lock = lock
        self._marks = RICH if messages.encoding.lower().startswith("utf") else ASCII
        self._widths: list[int] = []
        self._at = 0
        self.last = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            # The last column stays free: terminals differ in what a full line does to the cursor.
            height = None if self.last else max(1, console.height - 1)
            lines = frame(self._board, self._marks, width=max(1, options.max_width - 1), height=height)
        self._widths, self._at = [line.cell_len for line in lines], options.max_width
        yield from lines

    def make_room(self, console: Console) -> None:
        """Clear the rows that the last frame takes in addition since the terminal became narrower and folded its lines."""
        width = max(1, console.width)
        if width < self._at and _folds(os.environ):
            more = sum(max(0, -(-columns // width) - 1) for columns in self._widths)
            console.control(Control(*((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * more))
            self._at = width


def _folds(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal folds lines that become too long, as nearly all do; xterm, GNU screen and the kernel's cut them."""
    terminal = environment.get("TERM", "")
    return not environment.get("XTERM_VERSION") and not terminal.startswith(("linux", "screen.")) and "STY" not in environment
