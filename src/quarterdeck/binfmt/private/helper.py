"""Helper processes of our own that speak JSON, one object a line, over a socket that is their standard input and output.

The socket ends when we do, however we end, and the helper with it.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import quarterdeck
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.errors import DeadlineError

_PACKAGES = Path(quarterdeck.__file__).parents[1]
_BOOT = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
"""Isolated from the caller's environment and folder, but the same package, wherever the caller found it."""
_END_SECONDS = 5.0
_CHUNK = 65536


class HelperEndedError(Exception):
    """The helper ended without an answer; the text is what it wrote instead."""


class Helper:
    """A running helper. ``pid`` is its process."""

    def __init__(self, handle: ProcessHandle, channel: socket.socket) -> None:
        self._handle = handle
        self._channel = channel
        self._pending = b""
        self._words: list[str] = []

    @property
    def pid(self) -> int:
        """Its process id; valid until the helper is closed, since it is our child."""
        return self._handle.pid

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send one object; nothing happens when the helper ended, which the next :meth:`hear` says."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def hear(self, timeout: float) -> dict[str, Any]:
        """Return the next object that the helper sends within ``timeout`` seconds.

        Raises:
            HelperEndedError: it ended instead.
            DeadlineError: it said nothing.
        """
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(deadline, timeout)
            if line.startswith(b"{"):
                with contextlib.suppress(ValueError):
                    return dict(json.loads(line))
            self._words.append(line.decode(errors="replace"))

    def _line(self, deadline: float, timeout: float) -> bytes:
        while b"\n" not in self._pending:
            chunk = self._chunk(deadline, timeout)
            if not chunk:
                raise HelperEndedError("\n".join([*self._words, self._pending.decode(errors="replace")]).strip())
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _chunk(self, deadline: float, timeout: float) -> bytes:
        poll = select.poll()  # select(2) refuses descriptors above 1023
        poll.register(self._channel, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise DeadlineError(
                "helper-timeout", f"a helper process did not answer within {timeout:g} s", hint="try again on a quieter host"
            )
        with contextlib.suppress(ConnectionResetError):
            return self._channel.recv(_CHUNK)
        return b""

    def close(self) -> None:
        """End the helper and reap it."""
        self._channel.close()
        if not self._handle.wait_sync(_END_SECONDS):
            self._handle.send(signal.SIGKILL)
            self._handle.wait_sync(_END_SECONDS)


@contextlib.contextmanager
def open_helper(module: str, *, prefix: Sequence[str] = ()) -> Iterator[Helper]:
    """Run ``module`` of this package as a helper inside the ``with`` block, started by the words of ``prefix``.

    Raises:
        HostError: the program at the beginning of ``prefix`` is not installed.
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            argv = [*prefix, sys.executable, "-I", "-c", _BOOT, str(_PACKAGES), module]
            # "/" exists for every user and holds no file system busy.
            handle = spawn(argv, log=theirs.fileno(), stdin=theirs.fileno(), cwd="/")
    except BaseException:
        ours.close()
        raise
    helper = Helper(handle, ours)
    try:
        yield helper
    finally:
        helper.close()
