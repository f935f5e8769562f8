"""Progress of BuildKit as JSON: one ``SolveStatus`` on each line.

Source: client/graph.go of BuildKit (Vertex, VertexStatus, VertexLog); ``--progress=rawjson`` since buildx 0.13.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quarterdeck.build.engines.events import BuildEvent, BuildStep, LogLine, StepEvent, StepState, Transfer, named_step
from quarterdeck.build.engines.text import plain
from quarterdeck.core.report import Level, Message

_LONGEST_PART = 65536


@dataclass
class _Vertex:
    step: BuildStep
    running: bool = False
    seconds: float = 0.0
    part: bytes = b""
    done: dict[str, int] = field(default_factory=dict)


class RawJsonParser:
    """Turns the lines into events; lines that are no JSON are messages of buildx itself."""

    def __init__(self) -> None:
        self._vertexes: dict[str, _Vertex] = {}

    def feed(self, line: str) -> list[BuildEvent]:
        """Return what one line means."""
        status = _object(line)
        if status is None:
            text = plain(line)
            return [Message(Level.INFO, text)] if text else []
        events: list[BuildEvent] = []
        for vertex in _objects(status, "vertexes"):
            events += self._vertex(vertex)
        for moved in _objects(status, "statuses"):
            events += self._status(moved)
        for log in _objects(status, "logs"):
            events += self._log(log)
        events += [Message(Level.WARNING, text) for warning in _objects(status, "warnings") if (text := plain(_decoded(warning, "short")))]
        return events

    def close(self, *, succeeded: bool) -> list[BuildEvent]:
        """Return how the steps ended that nobody heard of any more."""
        state = StepState.DONE if succeeded else StepState.CANCELLED
        events: list[BuildEvent] = []
        for vertex in self._vertexes.values():
            if vertex.running:
                events += [*_rest(vertex), StepEvent(vertex.step, state)]
        return events

    def _vertex(self, given: dict[str, Any]) -> list[BuildEvent]:
        digest, name = given.get("digest"), given.get("name")
        if not isinstance(digest, str):
            return []
        vertex = self._vertexes.get(digest)
        if vertex is None:
            vertex = _Vertex(named_step(f"#{len(self._vertexes) + 1}", name if isinstance(name, str) else digest))
            self._vertexes[digest] = vertex
        started, completed = _time(given.get("started")), _time(given.get("completed"))
        events: list[BuildEvent] = []
        if started is not None and not vertex.running:
            vertex.running = True
            events.append(StepEvent(vertex.step, StepState.STARTED))
        if completed is not None:
            events += self._end(vertex, given, 0.0 if started is None else max(0.0, completed - started))
        return events

    def _end(self, vertex: _Vertex, given: dict[str, Any], seconds: float) -> list[BuildEvent]:
        started: list[BuildEvent] = [] if vertex.running else [StepEvent(vertex.step, StepState.STARTED)]
        vertex.running = False
        # A vertex may run more than once, each time with a start and an end of its own.
        vertex.seconds += seconds
        error = given.get("error")
        detail = plain(error) if isinstance(error, str) else ""
        return [
            *started,
            *_rest(vertex),
            StepEvent(vertex.step, end_state(detail, cached=given.get("cached") is True), vertex.seconds, detail),
        ]

    def _status(self, given: dict[str, Any]) -> list[BuildEvent]:
        vertex, what = self._vertexes.get(str(given.get("vertex"))), given.get("id")
        current, total = given.get("current"), given.get("total")
        if vertex is None or not isinstance(what, str) or not isinstance(current, int) or current <= 0:
            return []
        return [Transfer(vertex.step.key, plain(what), current, total if isinstance(total, int) and total > 0 else None)]

    def _log(self, given: dict[str, Any]) -> list[BuildEvent]:
        vertex = self._vertexes.get(str(given.get("vertex")))
        if vertex is None:
            return []
        *lines, part = (vertex.part + _bytes(given.get("data"))).replace(b"\r", b"\n").split(b"\n")
        vertex.part = part[-_LONGEST_PART:]
        return [LogLine(vertex.step.key, text) for line in lines if (text := plain(line.decode(errors="replace")))]


def end_state(error: str, *, cached: bool) -> StepState:
    """Return how a vertex ended. Source: ``printVtx`` in util/progress/progressui/printer.go of BuildKit."""
    if error:
        return StepState.CANCELLED if error.endswith("context canceled") else StepState.FAILED
    return StepState.CACHED if cached else StepState.DONE


def _rest(vertex: _Vertex) -> list[BuildEvent]:
    text = plain(vertex.part.decode(errors="replace"))
    vertex.part = b""
    return [LogLine(vertex.step.key, text)] if text else []


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _objects(status: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = status.get(key)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _bytes(data: object) -> bytes:
    try:
        return base64.b64decode(data) if isinstance(data, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _decoded(given: dict[str, Any], key: str) -> str:
    return _bytes(given.get(key)).decode(errors="replace")


def _time(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
