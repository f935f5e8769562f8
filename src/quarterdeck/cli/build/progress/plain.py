"""Progress for logs: lines, each with its platform in front, so that they can be told apart and searched.

::

    linux/arm64 builds on box with buildah 1.39.3 (emulated)
    linux/arm64 [build 2/3] RUN make
    linux/arm64 [build 2/3] 0.41 cc -c main.c
    linux/arm64 [build 2/3] DONE 3.2s (emulated)
    linux/arm64 DONE 3.9s (3.2s emulated)

The number before what a step wrote is seconds since the step began.
"""

from __future__ import annotations

from dataclasses import asdict

from quarterdeck.build.engines.events import BuildEvent, BuildStep, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import Ended, Progressed, RunEvent, Started, Waiting
from quarterdeck.cli.build.progress.board import Board
from quarterdeck.cli.build.progress.track import Track, Work
from quarterdeck.cli.build.progress.words import failure_lines, label, of_it_emulated, step_line, took, whole_data
from quarterdeck.cli.output import messages
from quarterdeck.cli.progress.plain import PlainRenderer
from quarterdeck.core.report import Level, Message, Step
from quarterdeck.core.size import format_size

_WORTH_A_LINE = 1 << 20
"""Bytes; what is smaller is there at once."""
_LONGEST_PLACE = 40
_HOW = {Runs.NATIVE: " (native)", Runs.EMULATED: " (emulated)", None: ""}


class PlainView:
    """Writes a line for each thing that happens."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._whole = PlainRenderer()
        self._moved: set[tuple[Platform, str, str]] = set()

    def show(self, event: RunEvent) -> None:
        failure = self._board.take(event)
        match event:
            case Waiting():
                self._line(event.platform, f"waits for a slot of {event.node}")
            case Started():
                self._line(event.platform, f"builds on {event.node} with {event.engine}{_HOW[event.runs]}")
            case Progressed():
                self._progress(self._board.track(event.platform), event.event)
            case Ended():
                self._end(event)
            case Step():
                self._whole.show("step", whole_data(event, self._board.clock()))
            case Message():
                self._whole.show("message", asdict(event))
        # The lines of one platform alone have just been written.
        if failure is not None and (len(self._board.tracks) > 1 or isinstance(event, Ended)):
            _write(*failure_lines(failure, width=self._board.width))

    def close(self) -> None:
        """Nothing to restore."""

    def _progress(self, track: Track, event: BuildEvent) -> None:
        match event:
            case StepEvent():
                self._step(track, event)
            case LogLine():
                self._log(track, event)
            case Transfer():
                self._transfer(track, event)
            case Message(level=level, text=text):
                mark = "" if level is Level.INFO else f"{level.value.upper()}: "
                for line in text.splitlines():
                    self._line(track.platform, f"{mark}{line}")

    def _step(self, track: Track, event: StepEvent) -> None:
        if event.state is StepState.STARTED:
            self._line(track.platform, step_line(event.step, track.platform))
        else:
            self._line(track.platform, f"{_place(event.step, track.platform)} {_end(event, track.works[event.step.key])}")

    def _log(self, track: Track, event: LogLine) -> None:
        work = track.works.get(event.step)
        where = f"{_place(work.step, track.platform)} {max(0.0, self._board.clock() - work.since):.2f} " if work is not None else ""
        self._line(track.platform, f"{where}{event.text}")

    def _transfer(self, track: Track, event: Transfer) -> None:
        key = (track.platform, event.step, event.what)
        work = track.works.get(event.step)
        if work is None or event.total is None or event.total < _WORTH_A_LINE or event.done < event.total or key in self._moved:
            return
        self._moved.add(key)
        self._line(track.platform, f"{_place(work.step, track.platform)} {event.what} {format_size(event.total)}")

    def _end(self, event: Ended) -> None:
        if event.error is None:
            emulated = of_it_emulated(event.seconds, self._board.track(event.platform).emulated(self._board.clock()))
            self._line(event.platform, f"DONE {took(event.seconds)}{f' ({emulated})' if emulated else ''}")
        else:
            self._line(event.platform, f"FAILED after {took(event.seconds)} on {event.node}")

    def _line(self, platform: Platform, text: str) -> None:
        _write(f"{platform!s:<{self._board.width}} {text}".rstrip())


def _place(step: BuildStep, platform: Platform) -> str:
    """Return what tells the lines of a step from those of others."""
    return label(step, platform) or f"{step.text[:_LONGEST_PLACE]}:"


def _end(event: StepEvent, work: Work) -> str:
    seconds = f" {took(event.seconds)}" if event.seconds is not None and event.state is not StepState.CACHED else ""
    how = " (emulated)" if work.emulated and event.state is not StepState.CACHED else ""
    return f"{event.state.value.upper()}{seconds}{how}{f': {event.detail}' if event.detail else ''}"


def _write(*lines: str) -> None:
    """Write lines as they are: a build may have a hundred thousand of them, too many for a renderer."""
    messages.file.write("".join(f"{line}\n" for line in lines))
    messages.file.flush()
