"""The guest's serial console as the container's terminal: what the guest writes is shown, what is typed reaches it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.runtime.supervisor import Supervisor

_READ_BYTES = 4096
# What a log viewer or terminal would obey; the guest is not trusted with it. ECMA-48: control sequences, strings such as titles and
# the clipboard, other escapes, then single controls. BEL ends strings too, as xterm has it.
_COMMANDS = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_LONGEST_COMMAND = 4096


class PlainText:
    """Leaves the commands for terminals out of a text that comes in pieces; a command may be cut anywhere."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return what ``piece`` adds to the text."""
        text = self._held + piece
        cut = _UNFINISHED.search(text, max(0, len(text) - _LONGEST_COMMAND))
        end = len(text) if cut is None else cut.start()
        self._held = text[end:]
        return _COMMANDS.sub(b"", text[:end])


async def carry(supervisor: Supervisor) -> None:
    """Show the guest's serial console until there is no more: raw on a terminal, which then is the guest's; else as plain lines."""
    if sys.stdout.isatty() and sys.stdin.isatty():
        with _raw():
            await _carry(supervisor, typed=True)
    else:
        await _carry(supervisor, typed=False)


async def _carry(supervisor: Supervisor, *, typed: bool) -> None:
    # The engine keeps the log of earlier runs.
    viewer, text = supervisor.attach_serial(past=False), PlainText()
    loop = asyncio.get_running_loop()
    waiting: set[asyncio.Task[None]] = set()

    def forward() -> None:
        keys = os.read(sys.stdin.fileno(), _READ_BYTES)
        if not keys:
            loop.remove_reader(sys.stdin.fileno())
            return
        task = loop.create_task(viewer.send(keys))
        waiting.add(task)
        task.add_done_callback(waiting.discard)

    if typed:
        loop.add_reader(sys.stdin.fileno(), forward)
    try:
        async for chunk in viewer:
            await asyncio.to_thread(_show, chunk if typed else text.feed(chunk))
    finally:
        viewer.close()
        if typed:
            loop.remove_reader(sys.stdin.fileno())


def _show(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


@contextmanager
def _raw() -> Iterator[None]:
    """Give keys to the guest one by one; Ctrl-C stays what it is, so that it ends the container."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
