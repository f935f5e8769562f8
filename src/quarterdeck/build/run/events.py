"""What a build of several platforms reports, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quarterdeck.build.engines.events import BuildEvent
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.core.report import Message, Step
from quarterdeck.errors import QuarterdeckError


@dataclass(frozen=True)
class Waiting:
    """A platform waits for a free slot of its node."""

    platform: Platform
    node: str


@dataclass(frozen=True)
class Started:
    """The build of a platform begins: ``engine`` as people name it, ``runs`` None when none of the platform's programs run there."""

    platform: Platform
    node: str
    engine: str
    runs: Runs | None


@dataclass(frozen=True)
class Progressed:
    """Something happened in the build of a platform."""

    platform: Platform
    event: BuildEvent


@dataclass(frozen=True)
class Ended:
    """The build of a platform ended after ``seconds``; ``error`` is None when it succeeded.

    The platform of a node that was lost starts again elsewhere.
    """

    platform: Platform
    node: str
    seconds: float
    error: QuarterdeckError | None = None


RunEvent = Waiting | Started | Progressed | Ended | Step | Message
"""Step and Message are about the whole: the plan, merging, checking, pushing, a node that was lost."""

RunReporter = Callable[[RunEvent], None]
