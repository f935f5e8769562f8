"""All that is known of a build while it is shown, from its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.engines.failure import BuildFailedError
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import Ended, Progressed, RunEvent, Started, Waiting
from quarterdeck.cli.build.progress.clean import one_line, plain
from quarterdeck.cli.build.progress.foresight import Foresight
from quarterdeck.cli.build.progress.track import TAIL, Phase, Track
from quarterdeck.cli.build.progress.words import step_line
from quarterdeck.core.report import Level, Message, Step, StepStatus


@dataclass(frozen=True)
class Failure:
    """What is shown of a step that failed, or of a build that failed in none: the last lines."""

    platform: Platform
    title: str
    error: str
    lines: tuple[str, ...]


@dataclass
class WholeStep:
    """A step about all platforms, such as merging; times are by the view's clock, in seconds."""

    event: Step
    since: float
    seconds: float | None = None


class Board:
    """Takes clean events in any order."""

    def __init__(self, platforms: Sequence[Platform], foresight: Foresight, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.foresight = foresight
        self.tracks = {platform: Track(platform, foresight) for platform in platforms}
        self.whole: dict[str, WholeStep] = {}

    @property
    def width(self) -> int:
        """Characters of the longest platform's name."""
        return max((len(str(platform)) for platform in self.tracks), default=0)

    def track(self, platform: Platform) -> Track:
        """Return what is known of a platform."""
        track = self.tracks.get(platform)
        if track is None:
            track = self.tracks[platform] = Track(platform, self.foresight)
        return track

    def take(self, event: RunEvent) -> Failure | None:
        """Take one event; return what to show of a failure, once."""
        match event:
            case Waiting():
                self.tracks[event.platform] = Track(event.platform, self.foresight, Phase.WAITING, event.node)
            case Started():
                self._start(event)
            case Progressed():
                return self._progress(self.track(event.platform), event.event)
            case Ended():
                return self._end(self.track(event.platform), event)
            case Step():
                self._whole(event)
            case Message():
                pass
        return None

    def leave(self) -> None:
        """Take that nobody waits for the rest any more."""
        for track in self.tracks.values():
            track.leave(self.clock())

    def _start(self, event: Started) -> None:
        """Begin, or begin once more on another node: what was done before counts for nothing there."""
        self.tracks[event.platform] = Track(
            event.platform, self.foresight, Phase.RUNNING, event.node, event.engine, event.runs, since=self.clock()
        )

    def _progress(self, track: Track, event: BuildEvent) -> Failure | None:
        match event:
            case StepEvent():
                work = track.step(event, self.clock())
                if event.state is StepState.FAILED:
                    lines = tuple(work.tail) or tuple(track.tail)
                    return Failure(track.platform, step_line(event.step, track.platform), event.detail, lines)
                if not work.running:
                    work.tail.clear()
            case LogLine():
                track.log(event)
            case Transfer():
                track.move(event)
            case Message():
                track.tail.extend(event.text.splitlines() if event.level is Level.INFO else ())
        return None

    def _end(self, track: Track, event: Ended) -> Failure | None:
        shown = track.failed is not None
        track.end(event.seconds, event.error, self.clock())
        if not isinstance(event.error, BuildFailedError) or shown or not event.error.tail:
            return None
        step = event.error.step
        title = one_line(step_line(step, track.platform)) if step is not None else "the build"
        return Failure(track.platform, title, one_line(event.error.evidence.error), tuple(map(plain, event.error.tail[-TAIL:])))

    def _whole(self, event: Step) -> None:
        now = self.clock()
        known = self.whole.get(event.step)
        if known is None or (known.seconds is not None and event.status is StepStatus.RUNNING):
            known = self.whole[event.step] = WholeStep(event, now)
        known.event = event
        known.seconds = None if event.status is StepStatus.RUNNING else max(0.0, now - known.since)
