"""How far a download is, how fast, and how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.core.size import format_size

STEP = "download"
_INTERVAL = 0.25
_WINDOW = 8.0
"""Seconds that the speed is measured over."""


class Meter:
    """Reports a download a few times a second; ``resumed`` bytes were there before and do not count for the speed."""

    def __init__(self, name: str, report: Reporter, *, now: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._report = report
        self._now = now
        self._samples: deque[tuple[float, int]] = deque()
        self._last = float("-inf")

    def update(self, done: int, total: int | None) -> None:
        """Say that ``done`` of ``total`` bytes are there."""
        moment = self._now()
        if moment - self._last < _INTERVAL:
            return
        self._last = moment
        self._samples.append((moment, done))
        while moment - self._samples[0][0] > _WINDOW:
            self._samples.popleft()
        self._report(Step(STEP, StepStatus.RUNNING, self._detail(done, total), done, total, "bytes"))

    def say(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Report something else that goes on, at once."""
        self._report(Step(STEP, StepStatus.RUNNING, f"{self._name}, {text}", done, total, "bytes"))

    def end(self, size: int, text: str) -> None:
        """Report the end."""
        self._report(Step(STEP, StepStatus.DONE, f"{self._name}, {format_size(size)}, {text}", size, size, "bytes"))

    def _detail(self, done: int, total: int | None) -> str:
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        if last <= first or after <= before:
            return self._name
        speed = (after - before) / (last - first)
        left = "" if total is None else f", {_duration((total - done) / speed)} left"
        return f"{self._name}, {format_size(int(speed))}/s{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
