"""Helper programs that must run before QEMU: passt, swtpm, virtiofsd, dnsmasq."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Identity, describe_status, spawn
from quarterdeck.errors import QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.resolved import Sidecar
from quarterdeck.runtime.logs import open_fresh, tail_text

_READY_SECONDS = 10.0
_RETRY_SECONDS = 0.02


def log_path(layout: MachineLayout, sidecar: Sidecar) -> Path:
    """Return where the helper's output goes."""
    return layout.vm / f"{sidecar.name}.log"


def start(layout: MachineLayout, sidecar: Sidecar, identity: Identity | None) -> ProcessHandle:
    """Start one helper, its output in a log of its own.

    Raises:
        HostError: it is not installed.
    """
    if sidecar.privileged:
        Path(sidecar.socket).unlink(missing_ok=True)
    log = open_fresh(log_path(layout, sidecar), identity)
    try:
        return spawn(sidecar.argv, log=log, cwd=layout.vm, identity=None if sidecar.privileged else identity)
    finally:
        os.close(log)


async def wait_ready(layout: MachineLayout, sidecar: Sidecar, process: ProcessHandle) -> None:
    """Wait until the helper's socket is there, or the file of a privileged one.

    Raises:
        QemuError: it ended first, or took too long; with the end of its log.
    """
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    while not _is_there(sidecar):
        if not process.alive():
            raise _failed(layout, sidecar, describe_status(process.returncode or 0))
        if asyncio.get_running_loop().time() > deadline:
            raise _failed(layout, sidecar, f"was not ready within {_READY_SECONDS:g} s")
        await asyncio.sleep(_RETRY_SECONDS)


def _is_there(sidecar: Sidecar) -> bool:
    path = Path(sidecar.socket)
    return path.is_file() if sidecar.privileged else path.is_socket()


def _failed(layout: MachineLayout, sidecar: Sidecar, how: str) -> QemuError:
    log = log_path(layout, sidecar)
    return QemuError("helper-failed", f"{sidecar.name} {how}", reason=tail_text(log, lines=5), hint=f"its log is {log}")
