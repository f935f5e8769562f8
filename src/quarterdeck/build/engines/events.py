"""What an engine reports while it builds, the same for all engines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.build.engines.text import one_line
from quarterdeck.core.report import Message

_VERTEX = re.compile(
    r"\[(?:(?P<platform>[a-z][a-z0-9]*/[a-z0-9_./>-]+)\s+)?(?:(?P<stage>[^\s\]]+)\s+)?(?P<number>\d{1,6})/(?P<total>\d{1,6})\]\s*(?P<text>.*)"
)
_INTERNAL = re.compile(r"\[(?:(?P<platform>[a-z][a-z0-9]*/[a-z0-9_./>-]+)\s+)?(?:internal|auth)\]\s*(?P<text>.*)")


class StepState(StrEnum):
    """Where a step stands; all but STARTED are its end."""

    STARTED = "started"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class BuildStep:
    """One step of a build.

    Attributes:
        key: what names it within this build.
        text: the instruction, or what the engine calls the work.
        stage: name or number of its stage, empty when the engine does not say.
        number: its place among ``total`` of the stage, 0 for work that is no instruction: loading, exporting.
        platform: ``linux/arm64``, or ``linux/amd64->arm64`` when one platform makes something for another; empty when not said.
    """

    key: str
    text: str
    stage: str = ""
    number: int = 0
    total: int = 0
    platform: str = ""

    @property
    def title(self) -> str:
        """The step as one line for people: ``[build 2/3] RUN make``."""
        if not self.number:
            return self.text
        return f"[{' '.join(word for word in (self.platform, self.stage, f'{self.number}/{self.total}') if word)}] {self.text}"


@dataclass(frozen=True)
class StepEvent:
    """A step began or ended. ``seconds`` is what it took, None while it runs or when nobody knows; ``detail`` is its error."""

    step: BuildStep
    state: StepState
    seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line that a step wrote; ``step`` is its key, empty when it belongs to none."""

    step: str
    text: str


@dataclass(frozen=True)
class Transfer:
    """Bytes that a step moves: a layer, the context. ``total`` is None when nobody knows it."""

    step: str
    what: str
    done: int
    total: int | None = None


BuildEvent = StepEvent | LogLine | Transfer | Message
BuildReporter = Callable[[BuildEvent], None]


def named_step(key: str, name: str) -> BuildStep:
    """Return the step that BuildKit calls ``name``.

    Source: ``prefixCommand`` in frontend/dockerfile/dockerfile2llb/convert.go of BuildKit 0.11 to 0.34.
    """
    name = one_line(name)
    if found := _VERTEX.fullmatch(name):
        place = {"number": int(found["number"]), "total": int(found["total"])}
        return BuildStep(key, found["text"], found["stage"] or "", platform=found["platform"] or "", **place)
    if found := _INTERNAL.fullmatch(name):
        return BuildStep(key, found["text"], platform=found["platform"] or "")
    return BuildStep(key, name)
