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

    def start(self, node: str, engine: str, runs: Runs | None, now: float) -> None:
        """Begin, or begin once more on another node: what was done before counts for nothing."""
        self.__init__(self.platform, self.foresight)  # type: ignore[misc]
        self.phase, self.node, self.engine, self.runs, self.since = Phase.RUNNING, node, engine, runs, now
