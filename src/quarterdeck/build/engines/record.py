"""What is kept of a build: the time of each step, and the end of what was said, for the one who must explain a failure."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from quarterdeck.build.engines.events import BuildEvent, BuildReporter, BuildStep, LogLine, StepEvent, StepState
from quarterdeck.build.engines.request import StepTime
from quarterdeck.core.report import Level, Message

_LINES = 60


class Parser(Protocol):
    """Turns lines of an engine into events."""

    def feed(self, line: str) -> list[BuildEvent]: ...

    def close(self, *, succeeded: bool) -> list[BuildEvent]: ...


class Record:
    """Reads lines with a parser, passes the events on and remembers what matters afterwards."""

    def __init__(self, parser: Parser, report: BuildReporter) -> None:
        self._parser = parser
        self._report = report
        self._ends: dict[str, StepTime] = {}
        self._started: dict[str, BuildStep] = {}
        self.failed: StepEvent | None = None
        self.warnings: list[str] = []
        self.said: deque[str] = deque(maxlen=_LINES)
        """The last lines as the engine wrote them, of all steps."""
        self._tails: dict[str, deque[str]] = {}

    def feed(self, line: str) -> None:
        """Take one line."""
        if line.strip() and not line.startswith("{"):
            self.said.append(line)
        self._take(self._parser.feed(line))

    def close(self, *, succeeded: bool) -> None:
        """Take the end."""
        self._take(self._parser.close(succeeded=succeeded))

    def cancel(self) -> None:
        """Take the end of a build that was not allowed to go on."""
        self._take([StepEvent(step, StepState.CANCELLED) for step in list(self._started.values())])

    @property
    def steps(self) -> tuple[StepTime, ...]:
        """All steps that ended, in the order in which they did."""
        return tuple(self._ends.values())

    @property
    def current(self) -> BuildStep | None:
        """The step that began last among those that have not ended."""
        return next(reversed(self._started.values()), None)

    @property
    def interrupted(self) -> BuildStep | None:
        """The step that was running when the build was ended: an engine that was asked to end may have said so of it since."""
        stopped = [time.step for time in self._ends.values() if time.state in (StepState.CANCELLED, StepState.FAILED)]
        return self.current or (stopped[-1] if stopped else None)

    def tail(self, step: BuildStep | None) -> tuple[str, ...]:
        """Return the last lines of a step, or of the whole build."""
        return tuple(self._tails.get(step.key, ())) if step is not None else tuple(self.said)

    def _take(self, events: list[BuildEvent]) -> None:
        for event in events:
            self._remember(event)
            self._report(event)

    def _remember(self, event: BuildEvent) -> None:
        if isinstance(event, LogLine):
            self._tails.setdefault(event.step, deque(maxlen=_LINES)).append(event.text)
        elif isinstance(event, Message) and event.level is Level.WARNING:
            self.warnings.append(event.text)
        elif isinstance(event, StepEvent) and event.state is StepState.STARTED:
            self._started[event.step.key] = event.step
        elif isinstance(event, StepEvent):
            self._started.pop(event.step.key, None)
            self._ends[event.step.key] = StepTime(event.step, event.state, event.seconds)
            if event.state is StepState.FAILED and self.failed is None:
                self.failed = event
