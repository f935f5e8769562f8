"""Daemons that live as long as a ``with`` block."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Argv, spawn

START_SECONDS = 60.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05


@contextmanager
def daemon(
    argv: Argv, *, log: Path, ready: Callable[[ProcessHandle], bool], env: Mapping[str, str] | None = None, orphaned: str = "TERM"
) -> Iterator[ProcessHandle]:
    """Run a program until the block ends; the block begins when ``ready`` says so.

    Where this process is killed it gets the signal ``orphaned``; source: PR_SET_PDEATHSIG of prctl(2), setpriv(1).

    Raises:
        AssertionError: it ended or was not ready in time; the message has the end of its log.
    """
    with log.open("ab") as output:
        handle = spawn(["setpriv", f"--pdeathsig={orphaned}", "--", *argv], log=output.fileno(), env=env)
    try:
        _wait(handle, ready, log)
        yield handle
    finally:
        stop(handle)


def stop(handle: ProcessHandle) -> None:
    """Ask a process to end, and make it end when it does not."""
    handle.send(signal.SIGTERM)
    if not handle.wait_sync(STOP_SECONDS):
        handle.send(signal.SIGKILL)
        handle.wait_sync(STOP_SECONDS)


def children(pid: int) -> list[int]:
    """Return the pids of the direct children of ``pid``; source: proc(5), ``/proc/PID/task/TID/children``."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _wait(handle: ProcessHandle, ready: Callable[[ProcessHandle], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready(handle):
        words = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        assert handle.alive(), f"it ended with {handle.returncode}:\n{words}"
        assert time.monotonic() < end, f"it was not ready after {START_SECONDS:g} s:\n{words}"
        time.sleep(_POLL_SECONDS)


def is_root() -> bool:
    """Whether this process may do what root may."""
    return os.geteuid() == 0
