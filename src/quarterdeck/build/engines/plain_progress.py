"""Progress of BuildKit as ``--progress=plain`` prints it; Docker 20.10 and buildx before 0.13 have nothing better.

Source: util/progress/progressui/printer.go of BuildKit 0.8 to 0.34.
"""

from __future__ import annotations

import re

from quarterdeck.build.engines.events import BuildEvent, BuildStep, LogLine, StepEvent, StepState, Transfer, named_step
from quarterdeck.build.engines.rawjson import end_state
from quarterdeck.build.engines.text import plain
from quarterdeck.core.report import Level, Message

_LINE = re.compile(r"#(?P<number>\d{1,7})(?: (?P<rest>.*))?")
_DONE = re.compile(r"DONE(?: (?P<seconds>\d+(?:\.\d+)?)s)?")
_LOG = re.compile(r"\d+\.\d+ ?(?P<text>.*)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BYTES = re.compile(r"(?P<what>.+?) (?P<done>\d+(?:\.\d+)?)(?P<unit>[kMGT]?B)(?: / (?P<total>\d+(?:\.\d+)?)(?P<of>[kMGT]?B))?(?: .*)?")
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
# What follows is the end of the log once more.
_SUMMARY = "------"


class PlainParser:
    """Turns the lines into events."""

    def __init__(self) -> None:
        self._steps: dict[str, BuildStep] = {}
        self._running: dict[str, BuildStep] = {}
        self._summing_up = False

    def feed(self, line: str) -> list[BuildEvent]:
        """Return what one line means."""
        if found := _LINE.fullmatch(line):
            return self._of_step(f"#{found['number']}", found["rest"] or "")
        text = plain(line)
        self._summing_up = self._summing_up or text == _SUMMARY
        return [Message(Level.INFO, text)] if text and not self._summing_up else []

    def close(self, *, succeeded: bool) -> list[BuildEvent]:
        """Return how the steps ended that nobody heard of any more."""
        state = StepState.DONE if succeeded else StepState.CANCELLED
        return [StepEvent(step, state) for step in self._running.values()]

    def _of_step(self, key: str, rest: str) -> list[BuildEvent]:
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._running[key] = named_step(key, rest)
            return [StepEvent(step, StepState.STARTED)]
        # The name comes again after lines of others, and the digest below each name.
        if rest == "..." or named_step(key, rest) == step or _DIGEST.fullmatch(rest):
            return []
        return self._end(step, rest) or self._news(step, rest)

    def _end(self, step: BuildStep, rest: str) -> list[BuildEvent]:
        if done := _DONE.fullmatch(rest):
            event = StepEvent(step, StepState.DONE, float(done["seconds"]) if done["seconds"] else None)
        elif rest == "CACHED":
            event = StepEvent(step, StepState.CACHED, 0.0)
        elif rest == "CANCELED":
            event = StepEvent(step, StepState.CANCELLED)
        elif rest.startswith("ERROR: "):
            detail = plain(rest.removeprefix("ERROR: "))
            event = StepEvent(step, end_state(detail, cached=False), None, detail)
        else:
            return []
        self._running.pop(step.key, None)
        return [event]

    def _news(self, step: BuildStep, rest: str) -> list[BuildEvent]:
        if log := _LOG.fullmatch(rest):
            text = plain(log["text"])
            return [LogLine(step.key, text)] if text else []
        if moved := _BYTES.fullmatch(rest):
            total = _size(moved["total"], moved["of"]) if moved["total"] else None
            return [Transfer(step.key, plain(moved["what"]), _size(moved["done"], moved["unit"]), total)]
        return []


def _size(number: str, unit: str) -> int:
    return int(float(number) * _UNITS[unit])
