"""Copies of a machine's disks as they are at one moment, each whole and alone: what full clones and exports are made of."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quarterdeck.errors import UsageError
from quarterdeck.media.disk.workplace import not_written
from quarterdeck.runtime.storage import engine, journal
from quarterdeck.runtime.storage.copying import DiskCopy, copy_out
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.hand import Running
from quarterdeck.runtime.storage.subject import Subject

STILL = "still"


async def take(subject: Subject, folder: Path, disks: Sequence[MachineDisk], *, step: str) -> tuple[list[DiskCopy], str]:
    """Copy ``disks``, and the UEFI variables beside them, to ``folder``; return the copies and how consistent they are.

    The journal makes a QEMU that goes on without us let go of the copies when somebody takes it over; whose ``folder`` it is removes them.

    Raises:
        QuarterdeckError: as :func:`copy_out`.
        OSError: a file cannot be made.
    """
    journal.write(subject.layout, STILL, folder=str(folder))
    try:
        async with engine.opened(subject) as qmp:
            hand = Running(qmp)
            copies = [
                DiskCopy(disk=disk, target=folder / f"{disk.id}.qcow2", virtual_size=(await hand.look(disk)).virtual_size) for disk in disks
            ]
            return copies, await copy_out(subject, qmp, copies, folder=folder, step=step, tpm=False)
    finally:
        journal.clear(subject.layout)


async def copy(subject: Subject, folder: Path, *, number: int | None = None) -> dict[str, Any]:
    """Copy disk ``number``, or all disks, to qcow2 files in the new folder ``folder``, which is gone again when it fails.

    Returns:
        ``consistency``, see :func:`moment`, and ``disks``: of each its number, its ``file`` in the folder, and ``size`` in bytes.

    Raises:
        UsageError: there is no such disk.
        HostError: the folder cannot be made, or is full.
        QuarterdeckError: as :func:`copy_out`.
    """
    disks = choose(subject, number)
    try:
        await asyncio.to_thread(folder.mkdir, 0o700)
    except OSError as error:
        raise not_written(folder, error) from error
    try:
        copies, consistency = await take(subject, folder, disks, step="export")
    except OSError as error:
        await _remove(folder)
        raise not_written(folder, error) from error
    except BaseException:
        await _remove(folder)
        raise
    found = [{"disk": copy.disk.index, "file": copy.target.name, "size": copy.virtual_size} for copy in copies]
    return {"consistency": consistency, "disks": found}


def choose(subject: Subject, number: int | None) -> tuple[MachineDisk, ...]:
    """Return disk ``number`` alone, or all disks that the machine writes. Raises: UsageError when there is none."""
    name = subject.name
    if not subject.disks:
        raise UsageError("no-disks", f"machine '{name}' has no disk that it writes", reason="there is nothing to export")
    chosen = tuple(disk for disk in subject.disks if number in (None, disk.index))
    if not chosen:
        known = ", ".join(str(disk.index) for disk in subject.disks)
        raise UsageError("no-such-disk", f"machine '{name}' has no disk {number}", reason=f"it writes these: {known}")
    return chosen


async def _remove(folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
