"""Progress events: work code reports what it does and never prints.

A reporter is any callable that takes one event. The supervisor forwards events to the console and
the terminal; tests collect them in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class StepStatus(StrEnum):
    """Where one step of a longer job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step of a job and how far it is.

    ``step`` is its stable name (``host``, ``image``, ``disk``, ``qemu``, ``console``, ``guest``);
    ``detail`` is one line for people. ``done`` and ``total`` count ``unit`` (``bytes`` or ``steps``);
    ``total`` is None when nobody knows it.
    """

    step: str
    status: StepStatus
    detail: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = "steps"


class Level(StrEnum):
    """How much a message matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Message:
    """A line for people that belongs to no step."""

    level: Level
    text: str


Event = Step | Message
Reporter = Callable[[Event], None]


def silent(event: Event) -> None:
    """Drop the event; the reporter of callers that do not care."""
