"""Runs an engine's program: its lines as they come, a clean end when it must stop, and an eye on its silence."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quarterdeck.build.engines.emulators import running_emulators
from quarterdeck.build.engines.watchdog import Hang, Watchdog
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Argv, spawn

_POLITE_SECONDS = 15.0
_GRACE_SECONDS = 5.0
_REST_SECONDS = 2.0
_LONGEST_LINE = 1 << 20


class SilentError(Exception):
    """The program said nothing for too long and was ended."""

    def __init__(self, hang: Hang) -> None:
        super().__init__(f"silent for {hang.seconds:.0f} s")
        self.hang = hang


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to run it: ``first_signal`` asks it to end, ``step_timeout`` are the seconds of silence allowed, None for any."""

    environment: Mapping[str, str]
    first_signal: signal.Signals = signal.SIGINT
    step_timeout: float | None = None
    own_emulators: bool = True
    """Whether its emulators are its own descendants, not those of a daemon."""
    emulated: str = ""
    """QEMU's name of the architecture that is emulated, empty for any."""


async def run_lines(argv: Argv, program: Program, *, on_line: Callable[[str], None]) -> int:
    """Run to the end, both streams as one; return the exit status (negative: signal). Cancelling ends it and its children.

    Raises:
        SilentError: nothing was heard for ``step_timeout`` seconds.
        HostError: it is not installed or cannot be started.
    """
    read, write = os.pipe()
    try:
        handle = spawn(argv, log=write, env=program.environment)
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    try:
        return await _follow(handle, read, program, on_line)
    except BaseException:
        await _end(handle, program.first_signal)
        raise


async def _follow(handle: ProcessHandle, read: int, program: Program, on_line: Callable[[str], None]) -> int:
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read, "rb", buffering=0)
    )
    below = handle.pid if program.own_emulators else None
    watchdog = Watchdog(program.step_timeout, lambda: running_emulators(below, of=program.emulated))
    reading = asyncio.create_task(_read(stream, on_line, watchdog.heard))
    ending = asyncio.create_task(handle.wait())
    watching = asyncio.create_task(watchdog.wait())
    try:
        await asyncio.wait({ending, watching, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()  # whoever listens may have failed
            await asyncio.wait({ending, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            raise SilentError(watching.result())
        # What it started may hold the pipe open.
        await asyncio.wait({reading}, timeout=_REST_SECONDS)
        if reading.done():
            reading.result()
        return ending.result() or 0
    finally:
        ending.cancel()
        watching.cancel()
        try:
            # Its last words are read too: who writes to a closed pipe dies of it before it has cleaned up.
            await _end(handle, program.first_signal)
        finally:
            reading.cancel()
            await asyncio.gather(reading, ending, watching, return_exceptions=True)
            transport.close()


async def _read(stream: asyncio.StreamReader, on_line: Callable[[str], None], heard: Callable[[], None]) -> None:
    pending = b""
    while chunk := await stream.read(65536):
        heard()
        *lines, pending = (pending + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        pending = pending[-_LONGEST_LINE:]
        for line in lines:
            on_line(line.decode(errors="replace"))
    if pending:
        on_line(pending.decode(errors="replace"))


async def _end(handle: ProcessHandle, first: signal.Signals) -> None:
    """End the whole process group, step by step harder; nothing is sent to a program that ended by itself but to what it left."""
    try:
        for number, seconds in ((first, _POLITE_SECONDS), (signal.SIGTERM, _GRACE_SECONDS)):
            if not handle.alive():
                break
            _send(handle.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await handle.wait()
    finally:
        _send(handle.pid, signal.SIGKILL)
        handle.wait_sync(_GRACE_SECONDS)


def _send(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
