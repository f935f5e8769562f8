"""How far the build of one platform is, from its events."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from quarterdeck.build.engines.events import BuildStep, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.cli.build.progress.foresight import Foresight
from quarterdeck.errors import QuarterdeckError

TAIL = 20
"""Lines that are kept of a step, for the case that it fails."""


class Phase(StrEnum):
    """Where a platform stands. LEFT: nobody waited for its end."""

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LEFT = "left"


@dataclass
class Work:
    """A step as far as it is. ``since`` is by the view's clock, ``moved`` bytes done and in all by what is moved."""

    step: BuildStep
    since: float
    emulated: bool
    state: StepState = StepState.STARTED
    seconds: float | None = None
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    moved: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state is StepState.STARTED


@dataclass
class Track:
    """The build of one platform; times are by the view's clock, in seconds."""

    platform: Platform
    foresight: Foresight
    phase: Phase = Phase.PENDING
    node: str = ""
    engine: str = ""
    runs: Runs | None = None
    since: float = 0.0
    seconds: float = 0.0
    error: QuarterdeckError | None = None
    works: dict[str, Work] = field(default_factory=dict)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    """Lines that belong to no step."""
    _emulated: float = 0.0
    _emulated_since: float | None = None

    def step(self, event: StepEvent, now: float) -> Work:
        """Take the begin or the end of a step."""
        work = self.works.get(event.step.key)
        if work is not None and event.state is StepState.STARTED and self._starts_over(work):
            self.works.clear()
            work = None
        if work is None or (event.state is StepState.STARTED and not work.running):
            # Kept in the order in which they began: BuildKit may run one more than once.
            self.works.pop(event.step.key, None)
            work = Work(event.step, now, self.foresight.emulated(self.platform, event.step, self.runs))
            self.works[event.step.key] = work
        work.state = event.state
        if not work.running:
            work.seconds = event.seconds if event.seconds is not None else max(0.0, now - work.since)
        self._count_emulated(now)
        return work

    def log(self, event: LogLine) -> Work | None:
        """Take a line; return the step that wrote it, None when it belongs to none that is known."""
        work = self.works.get(event.step)
        (work.tail if work is not None else self.tail).append(event.text)
        return work

    def move(self, event: Transfer) -> Work | None:
        """Take bytes that were moved; return the step that moves them."""
        work = self.works.get(event.step)
        if work is not None:
            work.moved[event.what] = (event.done, event.total)
        return work

    def end(self, seconds: float, error: QuarterdeckError | None, now: float) -> None:
        """Take the end."""
        self.phase = Phase.DONE if error is None else Phase.FAILED
        self.seconds, self.error = seconds, error
        self._stop(now)

    def leave(self, now: float) -> None:
        """Take that nobody waits for it any more."""
        if self.phase in (Phase.RUNNING, Phase.WAITING, Phase.PENDING):
            self.seconds = self.spent(now)
            self.phase = Phase.LEFT
            self._stop(now)

    def spent(self, now: float) -> float:
        """Return for how many seconds it has run."""
        return max(0.0, now - self.since) if self.phase is Phase.RUNNING else self.seconds

    def emulated(self, now: float) -> float:
        """Return how many of these seconds at least one emulated step ran."""
        running = now - self._emulated_since if self._emulated_since is not None else 0.0
        return min(self._emulated + max(0.0, running), self.spent(now))

    @property
    def steps(self) -> tuple[int, int]:
        """How many numbered steps have ended, and how many there are as far as anybody knows."""
        numbered = [work for work in self.works.values() if work.step.number]
        totals = {(work.step.platform, work.step.stage): work.step.total for work in numbered}
        unseen = self.foresight.unseen(self.platform, {stage for _, stage in totals}, self.engine)
        done = sum(not work.running for work in numbered)
        return done, max(done, sum(totals.values()) + unseen)

    @property
    def running(self) -> list[Work]:
        """The steps that run, the one that is worth the most attention first: instructions before other work, and the latest."""
        found = [work for work in reversed(self.works.values()) if work.running]
        return sorted(found, key=lambda work: not work.step.number)

    @property
    def failed(self) -> Work | None:
        """The first step that failed."""
        return next((work for work in self.works.values() if work.state is StepState.FAILED), None)

    @property
    def cached(self) -> int:
        """How many numbered steps came from a cache."""
        return sum(work.state is StepState.CACHED and work.step.number > 0 for work in self.works.values())

    def _starts_over(self, work: Work) -> bool:
        """Return whether the engine does everything once more, as buildah must where its cache mixes up platforms."""
        first = next((one for one in self.works.values() if one.step.number), None)
        others = any(one.step.number and one is not work for one in self.works.values())
        return work is first and others and not self.running

    def _stop(self, now: float) -> None:
        for work in self.works.values():
            if work.running:
                work.state, work.seconds = StepState.CANCELLED, max(0.0, now - work.since)
        self._count_emulated(now)

    def _count_emulated(self, now: float) -> None:
        """Count the time during which any emulated step runs: that of steps side by side counts once."""
        if self._emulated_since is not None:
            self._emulated += max(0.0, now - self._emulated_since)
        busy = any(work.running and work.emulated for work in self.works.values())
        self._emulated_since = now if busy else None
