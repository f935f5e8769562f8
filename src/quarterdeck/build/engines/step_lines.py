"""Progress of buildah and ``podman build``: lines that begin with STEP.

Source: imagebuildah/stage_executor.go of buildah 1.28 to 1.44; 1.28 was watched. Only these lines tell steps apart, and a RUN may
print such a line too: one that does not follow from the last is taken for a line of the log.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from quarterdeck.build.engines.events import BuildEvent, BuildStep, LogLine, StepEvent, StepState
from quarterdeck.build.engines.text import plain
from quarterdeck.core.report import Level, Message

_STEP = re.compile(
    r"(?:\[(?P<platform>[a-z][a-z0-9]*/[a-z0-9_./-]+)\] )?(?:\[(?P<stage>\d{1,5})/\d{1,5}\] )?"
    r"STEP (?P<number>\d{1,5})/(?P<total>\d{1,5}): (?P<text>.*)"
)
_PREFIX = re.compile(r"(?:\[[^\]]+\] ){0,2}(?=COMMIT|-->)")
_CACHED = "--> Using cache"
_MADE = re.compile(r"--> [0-9a-f]{8,64}")
_IMAGE = re.compile(r"[0-9a-f]{64}")
_LOGRUS = re.compile(r'time="[^"]*" level=(?P<level>\w+) msg="(?P<text>(?:[^"\\]|\\.)*)".*')
_LEVELS = {"warning": Level.WARNING, "error": Level.ERROR, "fatal": Level.ERROR}
# buildah sets these itself and then complains that nothing uses them.
_OWN_ARGUMENTS = re.compile(r"\[Warning\] one or more build args were not consumed: \[(?:(?:TARGET|BUILD)[A-Z]+ ?)+\]")


class StepLinesParser:
    """Turns the lines into events; seconds are measured between them by ``clock``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step: BuildStep | None = None
        self._since = 0.0
        self._cached = False
        self._ended = False
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._error = ""

    def feed(self, line: str) -> list[BuildEvent]:
        """Return what one line means."""
        text = plain(line)
        if (found := _STEP.fullmatch(text)) and (events := self._next(found)):
            return events
        news = _PREFIX.sub("", text, count=1)
        if news.startswith(_CACHED):
            self._cached = True
            return self._end(StepState.CACHED)
        # "--> Cache pulled from" and "--> Pushing cache" are news of a step that goes on.
        if news == "COMMIT" or news.startswith("COMMIT ") or _MADE.fullmatch(news):
            return self._end(StepState.DONE)
        if text.startswith(("Error: ", "error building ")):
            self._error = text.removeprefix("Error: ")
        return self._line(text)

    def close(self, *, succeeded: bool) -> list[BuildEvent]:
        """Return how the last step ended."""
        return self._end(StepState.DONE if succeeded else StepState.FAILED)

    def _line(self, text: str) -> list[BuildEvent]:
        if not text or _IMAGE.fullmatch(text) or _OWN_ARGUMENTS.fullmatch(text):
            return []
        if found := _LOGRUS.fullmatch(text):
            return [Message(_LEVELS.get(found["level"], Level.INFO), found["text"].replace('\\"', '"'))]
        if text.startswith("[Warning] "):
            return [Message(Level.WARNING, text.removeprefix("[Warning] "))]
        return [LogLine(self._step.key if self._step is not None and not self._ended else "", text)]

    def _next(self, found: re.Match[str]) -> list[BuildEvent]:
        stage, number, total = found["stage"] or "", int(found["number"]), int(found["total"])
        # Stages that nothing needs are skipped, so that the next one may be any later one.
        follows = (stage, number, total) == (self._last[0], self._last[1] + 1, self._last[2])
        if not follows and (number != 1 or (self._last[1] and int(stage or 0) <= int(self._last[0] or 0))):
            return []
        events = self._end(StepState.DONE)
        self._last = (stage, number, total)
        key = f"{stage or 1}.{number}"
        self._step = BuildStep(key, found["text"], stage, number, total, found["platform"] or "")
        self._since, self._cached, self._ended = self._clock(), False, False
        return [*events, StepEvent(self._step, StepState.STARTED)]

    def _end(self, state: StepState) -> list[BuildEvent]:
        if self._step is None or self._ended:
            return []
        self._ended = True
        seconds = 0.0 if state is StepState.CACHED else self._clock() - self._since
        return [StepEvent(self._step, state, seconds, self._error if state is StepState.FAILED else "")]
