"""``qd logs``: what the guest, QEMU and the supervisor wrote."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.options import Machine

_POLL_SECONDS = 0.3
_BLOCK = 1 << 16


class LogName(StrEnum):
    """The logs of a machine."""

    SERIAL = "serial"
    QEMU = "qemu"
    SUPERVISOR = "supervisor"


def logs(
    name: Machine,
    which: Annotated[
        LogName, typer.Option("--log", help="The guest's serial console, QEMU's own messages, or the supervisor's.")
    ] = LogName.SERIAL,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows; end with Ctrl-C.")] = False,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=0, help="Only the last lines.")] = None,
) -> None:
    """Print a log of a machine, running or not."""
    from quarterdeck.runtime.store import MachineStore

    layout = MachineStore().layout(name)
    path = {LogName.SERIAL: layout.serial_log, LogName.QEMU: layout.qemu_log, LogName.SUPERVISOR: layout.supervisor_log}[which]
    position = _print_from(path, _start(path, lines))
    while follow:
        time.sleep(_POLL_SECONDS)
        if path.exists() and path.stat().st_size < position:
            position = 0  # a new run began a new log
        position = _print_from(path, position)


def _start(path: Path, lines: int | None) -> int:
    """Return the offset of the last ``lines`` lines, reading backwards in blocks."""
    if lines is None or not path.exists():
        return 0
    with path.open("rb") as file:
        end = file.seek(0, 2)
        if lines == 0:
            return end
        tail = b""
        while end > 0 and tail.rstrip(b"\n").count(b"\n") < lines:
            block = min(_BLOCK, end)
            end = file.seek(end - block)
            tail = file.read(block) + tail
    kept = tail.splitlines(keepends=True)[-lines:]
    return end + len(tail) - sum(map(len, kept))


def _print_from(path: Path, position: int) -> int:
    """Write the log from ``position`` on to stdout; return where it ended."""
    if not path.exists():
        return position
    with path.open("rb") as file:
        file.seek(position)
        while block := file.read(_BLOCK):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return file.tell()
