"""Progress for programs: one JSON object a line on stderr.

Every object has ``type`` and ``time`` (seconds since the epoch, a float that never goes back within a build). Seconds are floats;
null is what nobody knows. Programs must accept keys and types that are not listed here.

=============  =====================================================================================================================
type           keys
=============  =====================================================================================================================
``platform``   ``platform``; ``state``: waiting, started, done, failed; ``node``; for started ``engine`` and ``runs`` (native, emulated,
               null: none of its programs run); for done and failed ``seconds``, ``emulated`` (how many of them), ``cached`` (how many
               steps came from a cache) and ``error`` (null, or an object as every error has)
``build-step`` ``platform``; ``id``: names the step within the build of that platform; ``text``, ``stage``, ``number``, ``total``;
               ``step_platform``: empty when it is the same; ``emulated``: bool; ``state``: started, done, cached, failed, cancelled;
               ``seconds``; ``detail``: its error
``log``        ``platform``; ``id`` of the step, empty for none; ``text``: one line
``transfer``   ``platform``; ``id`` of the step; ``what``; ``done`` and ``total`` in bytes
``message``    ``platform``: null when it is about all of them; ``level``: info, warning, error; ``text``
``step``       a step about all platforms, as ``qd run`` has them: ``step``, ``status``: running, done, failed; ``detail``; ``done``,
               ``total``, ``unit``: bytes or steps
``failure``    follows on the step or the platform that failed: ``platform``; ``step``; ``error``; ``lines``: the last ones it wrote
=============  =====================================================================================================================
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, Transfer
from quarterdeck.build.run.events import Ended, Progressed, RunEvent, Started, Waiting
from quarterdeck.cli.build.progress.board import Board
from quarterdeck.cli.build.progress.track import Track
from quarterdeck.core.report import Level, Message, Step


class JsonView:
    """Writes an object for each event; when ``quiet`` only failures and messages of errors."""

    def __init__(self, board: Board, *, quiet: bool) -> None:
        self._board = board
        self._quiet = quiet
        # Clocks of hosts are set back at times.
        self._epoch = time.time() - board.clock()

    def show(self, event: RunEvent) -> None:
        failure = self._board.take(event)
        if not self._quiet or _is_error(event):
            self._write(self._object(event))
        if failure is not None:
            said = {"step": failure.title, "error": failure.error, "lines": failure.lines}
            self._write({"type": "failure", "platform": str(failure.platform), **said})

    def close(self) -> None:
        """Nothing to restore."""

    def _object(self, event: RunEvent) -> dict[str, Any]:
        match event:
            case Waiting():
                return {"type": "platform", "platform": str(event.platform), "state": "waiting", "node": event.node}
            case Started():
                known = {"node": event.node, "engine": event.engine, "runs": event.runs.value if event.runs is not None else None}
                return {"type": "platform", "platform": str(event.platform), "state": "started", **known}
            case Progressed():
                return _progress(self._board.track(event.platform), event.event)
            case Ended():
                return self._end(event)
            case Step():
                return {"type": "step", **asdict(event)}
            case Message():
                return {"type": "message", "platform": None, **asdict(event)}

    def _end(self, event: Ended) -> dict[str, Any]:
        track = self._board.track(event.platform)
        return {
            "type": "platform",
            "platform": str(event.platform),
            "state": "done" if event.error is None else "failed",
            "node": event.node,
            "seconds": round(event.seconds, 3),
            "emulated": round(track.emulated(self._board.clock()), 3),
            "cached": track.cached,
            "error": event.error.to_json() if event.error is not None else None,
        }

    def _write(self, data: dict[str, Any]) -> None:
        """Write one line, in ASCII: errors keep the words of whoever wrote them, and this may be a terminal."""
        kind, rest = data.pop("type"), data
        line = json.dumps({"type": kind, "time": round(self._epoch + self._board.clock(), 3), **rest})
        sys.stderr.write(line.replace("\x7f", "\\u007f") + "\n")
        sys.stderr.flush()


def _progress(track: Track, event: BuildEvent) -> dict[str, Any]:
    platform = {"platform": str(track.platform)}
    match event:
        case StepEvent():
            return {"type": "build-step", **platform, **_step(track, event)}
        case LogLine():
            return {"type": "log", **platform, "id": event.step, "text": event.text}
        case Transfer():
            return {"type": "transfer", **platform, "id": event.step, "what": event.what, "done": event.done, "total": event.total}
        case Message():
            return {"type": "message", **platform, **asdict(event)}


def _step(track: Track, event: StepEvent) -> dict[str, Any]:
    step = event.step
    return {
        "id": step.key,
        "text": step.text,
        "stage": step.stage,
        "number": step.number,
        "total": step.total,
        "step_platform": step.platform if step.platform != str(track.platform) else "",
        "emulated": track.works[step.key].emulated,
        "state": event.state.value,
        "seconds": event.seconds,
        "detail": event.detail,
    }


def _is_error(event: RunEvent) -> bool:
    match event:
        case Message(level=Level.ERROR) | Progressed(event=Message(level=Level.ERROR)):
            return True
        case Ended(error=error):
            return error is not None
        case _:
            return False
