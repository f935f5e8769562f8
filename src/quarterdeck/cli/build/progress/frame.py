"""What a live view draws: a line or two for each platform, and below them the steps about all."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from quarterdeck.build.nodes.model import Runs
from quarterdeck.cli.build.progress.board import Board, WholeStep
from quarterdeck.cli.build.progress.clean import one_line
from quarterdeck.cli.build.progress.fit import Piece, cut, fit
from quarterdeck.cli.build.progress.marks import Marks
from quarterdeck.cli.build.progress.track import Phase, Track, Work
from quarterdeck.cli.build.progress.words import clock_time, label, moved, of_it_emulated, step_line, took, whole_data, whole_title
from quarterdeck.cli.progress.words import amount
from quarterdeck.core.report import StepStatus

_EMULATED = "yellow"
_HALF = 30
"""Columns that a step may take in any case beside its last line, which else gets half of the room."""
# What is shown of many platforms where not all have room.
_INTEREST = [Phase.FAILED, Phase.RUNNING, Phase.LEFT, Phase.WAITING, Phase.PENDING, Phase.DONE]


def frame(board: Board, marks: Marks, *, width: int, height: int | None) -> list[Text]:
    """Return the lines of now, none wider than ``width`` columns and no more than ``height``, None for all and one each."""
    now = board.clock()
    draw = _Drawing(board, marks, width, now)
    whole = [draw.whole(step) for step in board.whole.values()]
    if height is None:
        return [*map(draw.one, board.tracks.values()), *whole]
    whole = whole[-max(1, height // 3) :]
    room = max(1, height - len(whole))
    tracks = list(board.tracks.values())
    if len(tracks) + sum(track.phase is Phase.RUNNING for track in tracks) <= room:
        return [*(line for track in tracks for line in draw.two(track)), *whole]
    if len(tracks) <= room:
        return [*map(draw.one, tracks), *whole]
    return [*draw.some(tracks, room), *whole][-height:]


class _Drawing:
    """Draws everything as it is at one moment."""

    def __init__(self, board: Board, marks: Marks, width: int, now: float) -> None:
        self._marks = marks
        self._width = width
        self._now = now
        self._names = board.width

    def two(self, track: Track) -> list[Text]:
        """Return a platform's line, and the step that runs below it."""
        if track.phase is not Phase.RUNNING:
            return [self.one(track)]
        # The emulated seconds outlast the bar and the place where it runs: they are what one wants to know.
        above = [*self._head(track), *self._spent(track), Piece(Text(self._place(track), style="dim"), 7, shrinks=True)]
        return [self._fit(above), self._fit([Piece(Text(" ")), *self._work(track, time_rank=1)])]

    def one(self, track: Track) -> Text:
        """Return a platform in one line."""
        if track.phase is Phase.RUNNING:
            return self._fit([*self._head(track), *self._spent(track), *self._work(track, time_rank=9)])
        return self._fit([*self._head(track), Piece(self._said(track), shrinks=True), Piece(Text(self._place(track), style="dim"), 4)])

    def some(self, tracks: list[Track], room: int) -> list[Text]:
        """Return those that are of most interest, and how many there are of the others."""
        chosen = sorted(tracks, key=lambda track: _INTEREST.index(track.phase))[: room - 1]
        others = Counter(track.phase.value for track in tracks if track not in chosen)
        count = f"and {sum(others.values())} more: {', '.join(f'{number} {phase}' for phase, number in others.items())}"
        lines = [self.one(track) for track in tracks if track in chosen]
        return [*lines, self._fit([Piece(Text(f"  {count}", style="dim"), shrinks=True)])]

    def whole(self, step: WholeStep) -> Text:
        """Return a step about all platforms."""
        event, running = step.event, step.seconds is None
        mark = {StepStatus.DONE: Text(self._marks.done, style="green"), StepStatus.FAILED: Text(self._marks.failed, style="red")}
        data = whole_data(event, self._now)
        seconds = max(0.0, self._now - step.since) if step.seconds is None else step.seconds
        pieces = [
            Piece(mark.get(event.status) or self._marks.spin(self._now)),
            Piece(Text(f"{whole_title(event):<{self._names}}", style="bold")),
            Piece(self._marks.bar(event.done or 0, event.total or 0, "cyan") if running else Text(""), 3),
            Piece(Text(amount(data) if running else ""), 2),
            Piece(Text(clock_time(seconds) if int(seconds) else "", style="dim"), 1),
            Piece(Text(event.detail), 0, shrinks=True),
        ]
        return self._fit(pieces)

    def _fit(self, pieces: list[Piece]) -> Text:
        return fit(pieces, self._width, ellipsis=self._marks.ellipsis)

    def _head(self, track: Track) -> list[Piece]:
        marks = {
            Phase.RUNNING: self._marks.spin(self._now),
            Phase.DONE: Text(self._marks.done, style="green"),
            Phase.FAILED: Text(self._marks.failed, style="red"),
        }
        mark = marks.get(track.phase, Text(self._marks.left, style="dim"))
        return [Piece(mark), Piece(Text(f"{track.platform!s:<{self._names}}", style="bold"))]

    def _spent(self, track: Track) -> list[Piece]:
        """Return the bar, the count of steps and the time of a platform that is built."""
        done, total = track.steps
        emulated = track.emulated(self._now)
        style = _EMULATED if track.runs is Runs.EMULATED else "green"
        return [
            Piece(self._marks.bar(done, total, style), 6),
            Piece(Text(f"{done}/{total}" if total else ""), 3),
            Piece(Text(clock_time(track.spent(self._now))), 2),
            Piece(Text(f"{clock_time(emulated)} emulated" if int(emulated) else "", style=_EMULATED), 4),
        ]

    def _work(self, track: Track, *, time_rank: int) -> list[Piece]:
        """Return the step that runs, how many others do, and its last line."""
        running = track.running
        if not running:
            return [Piece(Text(track.tail[-1] if track.tail else "", style="dim"), 8, shrinks=True)]
        work = running[0]
        step = Text(step_line(work.step, track.platform).expandtabs(4), style=_EMULATED if work.emulated else "")
        if work.tail:
            step = cut(step, max(_HALF, self._width // 2), ellipsis=self._marks.ellipsis)
        return [
            Piece(Text(clock_time(self._now - work.since), style="dim"), time_rank),
            Piece(step, 1, shrinks=True),
            Piece(Text(f"+{len(running) - 1}" if len(running) > 1 else "", style="dim"), 7),
            Piece(Text(moved(work), style="dim"), 6),
            Piece(Text(_last(work), style="dim"), 8, shrinks=True),
        ]

    def _said(self, track: Track) -> Text:
        """Return what became of a platform that is not being built."""
        match track.phase:
            case Phase.DONE:
                return _result(track, self._now)
            case Phase.FAILED:
                return Text(f"failed after {took(track.seconds)}{_why(track)}", style="red")
            case Phase.WAITING:
                return Text(f"waits for a slot of {track.node}", style="dim")
            case Phase.LEFT:
                return Text(f"stopped after {took(track.seconds)}" if track.engine else "not built", style="dim")
            case _:
                return Text("", style="dim")

    @staticmethod
    def _place(track: Track) -> str:
        return f"{track.node}, {track.engine}" if track.engine else ""


def _last(work: Work) -> str:
    return work.tail[-1].strip().expandtabs(4) if work.tail else ""


def _result(track: Track, now: float) -> Text:
    _, total = track.steps
    cached = f"{track.cached} of {total} steps cached" if track.cached else ""
    emulated = of_it_emulated(track.seconds, track.emulated(now))
    line = Text(took(track.seconds))
    line.append(f", {emulated}" if emulated else "", style=_EMULATED)
    return line.append(f", {cached}" if cached else "")


def _why(track: Track) -> str:
    work = track.failed
    if work is not None:
        return f" in {label(work.step, track.platform)} {work.step.text}".expandtabs(4)
    return f": {one_line(track.error.message)}" if track.error is not None else ""
