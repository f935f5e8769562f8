"""Progress for people who want to hear of errors only."""

from __future__ import annotations

from quarterdeck.build.run.events import Progressed, RunEvent
from quarterdeck.cli.build.progress.board import Board
from quarterdeck.cli.build.progress.words import failure_lines
from quarterdeck.cli.output import say
from quarterdeck.core.report import Level, Message


class QuietView:
    """Shows messages of errors, and the last lines of what failed."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def show(self, event: RunEvent) -> None:
        failure = self._board.take(event)
        for line in failure_lines(failure) if failure is not None else ():
            say(line)
        match event:
            case Progressed(platform=platform, event=Message(level=Level.ERROR, text=text)):
                say(f"{platform} error: {text}", "red")
            case Message(level=Level.ERROR, text=text):
                say(text, "red")
            case _:
                pass

    def close(self) -> None:
        """Nothing to restore."""
