"""Makes events safe to show: Dockerfiles, the programs of a build and servers wrote their texts."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from quarterdeck.build.engines import text
from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, Transfer
from quarterdeck.build.run.events import Ended, Progressed, RunEvent, Started, Waiting
from quarterdeck.core.report import Message, Step

# Halves of UTF-16 pairs, which stand for bytes that are no UTF-8 and which no stream takes.
_SURROGATES = re.compile("[\ud800-\udfff]")
_MOST_BYTES = 2**63 - 1


def cleaned(event: RunEvent) -> RunEvent:
    """Return the event without what moves cursors, colours or hides text, and with numbers that can be shown.

    The error of an end stays as it is: whoever shows its words cleans them.
    """
    match event:
        case Progressed():
            return replace(event, event=_cleaned(event.event))
        case Started():
            return replace(event, node=one_line(event.node), engine=one_line(event.engine))
        case Waiting():
            return replace(event, node=one_line(event.node))
        case Ended():
            return replace(event, node=one_line(event.node), seconds=_seconds(event.seconds) or 0.0)
        case Step():
            event = replace(event, step=one_line(event.step), detail=one_line(event.detail), unit=one_line(event.unit))
            return replace(event, done=_amount(event.done), total=_amount(event.total))
        case Message():
            return _message(event)


def plain(line: str) -> str:
    """Return one line that is safe to show."""
    return text.plain(_SURROGATES.sub("\ufffd", line))


def one_line(words: str) -> str:
    """Return a text of several lines as one that is safe to show."""
    return text.one_line(_SURROGATES.sub("\ufffd", words))


def _cleaned(event: BuildEvent) -> BuildEvent:
    match event:
        case LogLine():
            return replace(event, text=plain(event.text))
        case StepEvent(step=step):
            step = replace(step, text=one_line(step.text), stage=one_line(step.stage), platform=one_line(step.platform))
            return replace(event, step=step, detail=one_line(event.detail), seconds=_seconds(event.seconds))
        case Transfer():
            return replace(event, what=one_line(event.what), done=_amount(event.done) or 0, total=_amount(event.total))
        case Message():
            return _message(event)


def _seconds(value: float | None) -> float | None:
    """Return a time that is one; None where an engine's number is too long for a float."""
    return max(0.0, value) if value is not None and math.isfinite(value) else None


def _amount(value: int | None) -> int | None:
    """Return a number of bytes or steps that can be computed with, whatever a server said."""
    return min(max(0, value), _MOST_BYTES) if value is not None else None


def _message(event: Message) -> Message:
    return replace(event, text="\n".join(plain(line) for line in event.text.splitlines()))
