"""A process that may live longer than we do, held without mistaking another for it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio


class Child(Protocol):
    """What a handle needs of a child process; ``subprocess.Popen`` has it."""

    def poll(self) -> int | None:
        """Return the exit status (negative: signal) of the ended child, or None while it runs."""

    def wait(self) -> int:
        """Wait for the end and return the exit status."""


class ProcessHandle:
    """A process that is named by pid *and* start time, so that a reused pid is never mistaken for it.

    It may be a child of ours or, after a takeover, of somebody else; then its exit status is unknown.
    """

    def __init__(self, pid: int, started: int, child: Child | None = None) -> None:
        self.pid = pid
        self.started = started
        self._child = child

    @classmethod
    def of_child(cls, pid: int, child: Child) -> ProcessHandle:
        """Return the handle of a child that was just started."""
        return cls(pid, _start_ticks(pid) or 0, child)

    @classmethod
    def adopt(cls, pid: int, started: int) -> ProcessHandle | None:
        """Return a handle of the running process, or None when it is gone."""
        handle = cls(pid, started)
        return handle if handle.alive() else None

    @classmethod
    def find(cls, pid: int) -> ProcessHandle | None:
        """Return a handle of whatever process has ``pid`` now, or None when there is none."""
        started = _start_ticks(pid)
        return None if started is None else cls(pid, started)

    @property
    def returncode(self) -> int | None:
        """Exit status (negative: signal), or None while it runs or when it is not our child."""
        return None if self._child is None else self._child.poll()

    def alive(self) -> bool:
        """Whether it still runs; reaps it when it is our child and ended."""
        if self._child is not None:
            return self._child.poll() is None
        return _start_ticks(self.pid) == self.started

    def send(self, signum: int) -> None:
        """Send a signal; nothing happens when it is gone."""
        try:
            target = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # Opened before the check: what is alive now is what the descriptor names, however soon the pid is reused.
            if self.alive():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(target, signum)
        finally:
            os.close(target)

    async def wait(self) -> int | None:
        """Wait until it ended; return its exit status, or None when it was not our child."""
        import asyncio  # commands without an event loop start faster without it

        try:
            watched = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return self.returncode
        try:
            loop = asyncio.get_running_loop()
            ended: asyncio.Future[None] = loop.create_future()
            # A pidfd becomes readable when the process ends (pidfd_open(2)), also for zombies of others.
            loop.add_reader(watched, _resolve, ended)
            try:
                if self.alive():
                    await ended
            finally:
                loop.remove_reader(watched)
        finally:
            os.close(watched)
        return None if self._child is None else self._child.wait()

    def wait_sync(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds without an event loop; return whether it ended."""
        try:
            watched = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if self.alive():
                poll = select.poll()  # select(2) refuses descriptors above 1023
                poll.register(watched, select.POLLIN)
                poll.poll(max(0.0, timeout) * 1000)
        finally:
            os.close(watched)
        return not self.alive()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _start_ticks(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot, or None when it is gone or a zombie.

    Source: proc(5), ``/proc/PID/stat`` fields 3 (state) and 22 (starttime); field 2 may hold spaces and
    parentheses, so count from its end.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])
