"""The steps of a plan as rows of a table: what is alike stands together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from quarterdeck.build.engines.text import one_line
from quarterdeck.build.planning.model import Mode, PlannedStage, PlannedStep, PlatformPlan
from quarterdeck.build.planning.script import written

_MOST_ROWS = 12
"""More RUNs of one stage than these are put together."""


@dataclass(frozen=True)
class Row:
    """One row: steps of one stage that run in the same way, mostly a single one."""

    stage: PlannedStage
    steps: tuple[PlannedStep, ...]

    @property
    def mode(self) -> Mode:
        """How they run."""
        return self.steps[0].mode

    @property
    def lines(self) -> str:
        """Where they stand: ``4`` or ``4-9``."""
        return lines(self.steps)

    @property
    def text(self) -> str:
        """What they are: the instruction itself when it is one, else how many of which."""
        if len(self.steps) == 1:
            return _one(self.steps[0])
        counts = Counter(step.step.instruction.keyword for step in self.steps)
        return ", ".join(keyword if count == 1 else f"{count} {keyword}" for keyword, count in counts.items())

    @property
    def seconds(self) -> str:
        """How long they take in words, empty when nobody knows."""
        known = [step.estimate for step in self.steps if step.estimate]
        if not known:
            return ""
        all_measured = len(known) == len(self.steps) and all(one.measured for one in known)
        return duration(sum(one.seconds for one in known), exact=all_measured)


def rows(plan: PlatformPlan, *, each: bool) -> Iterator[Row]:
    """Yield the rows of one platform; ``each`` puts nothing together."""
    for stage in plan.stages:
        for steps in _groups(stage.steps, each=each):
            yield Row(stage, tuple(steps))


def lines(steps: Sequence[PlannedStep]) -> str:
    """Return the lines that these steps take: ``4`` or ``4-9``."""
    first, last = min(step.span.first for step in steps), max(step.span.last for step in steps)
    return str(first) if first == last else f"{first}-{last}"


def duration(seconds: float, *, exact: bool) -> str:
    """Return seconds as people say them; what is not exact has a ``~``."""
    mark = "" if exact else "~"
    if seconds < 100:
        return f"{mark}{seconds:.1f} s" if seconds < 10 else f"{mark}{seconds:.0f} s"
    return f"{mark}{seconds / 60:.0f} min" if seconds < 5400 else f"{mark}{seconds / 3600:.1f} h"


def _groups(steps: Sequence[PlannedStep], *, each: bool) -> Iterator[list[PlannedStep]]:
    many = sum(step.work is not None for step in steps) > _MOST_ROWS
    for mode, group in groupby(steps, key=lambda step: step.mode):
        together = list(group)
        if each or (mode is not Mode.FREE and not many):
            yield from ([step] for step in together)
        else:
            yield together


def _one(step: PlannedStep) -> str:
    instruction = step.step.instruction
    trigger = ["ONBUILD"] if step.step.trigger else []
    return one_line(" ".join([*trigger, instruction.keyword, *map(str, instruction.flags), written(step.step)]))
