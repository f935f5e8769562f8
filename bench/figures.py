"""What a benchmark hands back, and how it is shown."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its baseline.

    ``goal`` says in words what is aimed at, ``reached`` whether it was. ``spread`` is the distance between the smallest and the largest
    sample of ``value``.
    """

    name: str
    value: float
    unit: str
    baseline_name: str
    baseline: float
    goal: str
    reached: bool
    spread: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}

    @property
    def ratio(self) -> float:
        """The value over its baseline."""
        return self.value / self.baseline if self.baseline else float("nan")

    def line(self) -> str:
        mark = "ok  " if self.reached else "MISS"
        return (
            f"{mark} {self.name:<36} {self.value:>10.3f} {self.unit:<6} (+-{self.spread / 2:.3f})   "
            f"{self.ratio:>6.2f} x {self.baseline_name} ({self.baseline:.3f} {self.unit})   goal: {self.goal}"
        )


def seconds(action: Callable[[], object]) -> float:
    """Return how long ``action`` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def processor_seconds(action: Callable[[], object]) -> float:
    """Return what processors worked for the programs that ``action`` runs to their end, which a busy host hardly changes."""

    def spent() -> float:
        now = os.times()
        return now.children_user + now.children_system

    start = spent()
    action()
    return spent() - start


def in_turns(runs: int, *actions: Callable[[], float]) -> list[list[float]]:
    """Take ``runs`` samples of each action, one after the other in turns, so that a change of the host's load meets all of them."""
    samples: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for kept, action in zip(samples, actions, strict=True):
            kept.append(action())
    return samples


def median(samples: Iterable[float]) -> float:
    return statistics.median(samples)


def spread(samples: Iterable[float]) -> float:
    kept = list(samples)
    return max(kept) - min(kept)
