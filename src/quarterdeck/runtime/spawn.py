"""Start a supervisor in the background and learn whether it came up, through a pipe that it inherits."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Sequence

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.errors import DeadlineError, QemuError, QuarterdeckError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.client import error_from_json
from quarterdeck.runtime.logs import tail_text
from quarterdeck.runtime.store import unwritable

READY_VARIABLE = "QUARTERDECK_READY_FD"
_LONGEST_ANSWER = 64 * 1024
_END_SECONDS = 5.0
_READY = b'{"ready": true}'


def spawn_supervisor(layout: MachineLayout, argv: Sequence[str], *, timeout: float = 30.0) -> ProcessHandle:
    """Start ``argv`` in a session of its own, its output in supervisor.log, and wait until it called :func:`tell_ready`.

    Raises:
        HostError: supervisor.log cannot be written.
        QuarterdeckError: what the supervisor gave to :func:`tell_failed`.
        QemuError: it ended without a word.
        DeadlineError: it said nothing for ``timeout`` seconds; it was killed.
    """
    reading, writing = os.pipe()
    try:
        handle = _start(layout, argv, writing)
        os.close(writing)
        writing = -1
        answer = _read_answer(reading, timeout)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    if answer == _READY:
        return handle
    if answer is None:
        handle.send(signal.SIGKILL)
    handle.wait_sync(_END_SECONDS)
    raise _failure(answer, layout, timeout)


def tell_ready() -> None:
    """Tell the process that started this one that the API is served; nothing happens when nobody waits."""
    _tell(_READY)


def tell_failed(error: QuarterdeckError) -> None:
    """Hand ``error`` to the process that started this one; nothing happens when nobody waits."""
    _tell(json.dumps({"error": error.to_json()}).encode())


def _start(layout: MachineLayout, argv: Sequence[str], writing: int) -> ProcessHandle:
    try:
        log = os.open(layout.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(error) from error
    try:
        return spawn(argv, log=log, env={READY_VARIABLE: str(writing)}, cwd=layout.root, pass_fds=(writing,))
    finally:
        os.close(log)


def _read_answer(reading: int, timeout: float) -> bytes | None:
    """Return all that comes until the other end closes, or None when the time is over."""
    deadline = time.monotonic() + timeout
    answer = b""
    while len(answer) < _LONGEST_ANSWER:
        readable, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return None
        chunk = os.read(reading, 4096)
        if not chunk:
            break
        answer += chunk
    return answer


def _failure(answer: bytes | None, layout: MachineLayout, timeout: float) -> QuarterdeckError:
    hint = f"see {layout.supervisor_log}"
    if answer is None:
        return DeadlineError("supervisor-timeout", f"the supervisor did not come up within {timeout:g} s", hint=hint)
    if answer:
        return error_from_json(500, answer)
    words = tail_text(layout.supervisor_log, lines=5)
    return QemuError("supervisor-died", "the supervisor ended before it was ready", reason=words, hint=hint)


def _tell(message: bytes) -> None:
    number = os.environ.pop(READY_VARIABLE, "")
    if not number.isdecimal():
        return
    try:
        with os.fdopen(int(number), "wb") as pipe:
            pipe.write(message)
    except OSError:
        return
