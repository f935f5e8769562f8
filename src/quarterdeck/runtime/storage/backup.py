"""Backups: full at first, then only what changed, while the guest runs or when it is at rest."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import json
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from quarterdeck.core import clock, fs
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, QuarterdeckError, UsageError
from quarterdeck.machine.load import spec_to_json
from quarterdeck.runtime import assets
from quarterdeck.runtime import secrets as stored_secrets
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.storage import chain, engine, journal
from quarterdeck.runtime.storage.chain import Backup, SavedDisk
from quarterdeck.runtime.storage.copying import DiskCopy, copy_out
from quarterdeck.runtime.storage.disks import MachineDisk, disk_specs
from quarterdeck.runtime.storage.hand import Hand, Running
from quarterdeck.runtime.storage.jobs import PREFIX
from quarterdeck.runtime.storage.subject import Subject

BACKUP = "backup"
_TICK = 0.001
"""Seconds that two backups are apart at least."""
_MOST_RECORDS = 8
"""Folders with backups that one machine can have at the same time and add changes to."""


async def make(subject: Subject, folder: Path, *, full: bool = False) -> Backup:
    """Add a backup to ``folder``: of what changed since the last one there, or of everything.

    Raises:
        UsageError: the folder holds backups of another machine, or another backup goes there now.
        HostError: the folder cannot be written, or is full.
        QuarterdeckError: it failed; nothing of it is left, and the guest runs on.
    """
    if not subject.disks:
        raise UsageError("no-disks", f"machine '{subject.name}' has no disk to back up")
    lock = await asyncio.to_thread(_claim, folder, subject.name)
    try:
        known = chain.load_all(folder)
        _check_machine(known, subject.name, folder)
        parent = None if full or not known else known[-1]
        number = f"{clock.stamp()}-{secrets.token_hex(3)}"
        journal.write(subject.layout, BACKUP, id=number, folder=str(folder))
        async with engine.opened(subject) as qmp:
            return await _make(subject, qmp, folder, number=number, parent=parent, known=known)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        await _settle(subject)
        os.close(lock)


async def clean_up(subject: Subject, hand: Hand, entry: journal.Entry) -> None:
    """Remove what an unfinished backup left; the backups before it and the records of changes since them stay."""
    number, folder = str(entry["id"]), Path(str(entry["folder"]))
    if not (folder / number / chain.FILE).exists():
        await forget(subject, hand, keep=lambda name: name != record(number))
    await asyncio.to_thread(shutil.rmtree, _partial(folder, number), ignore_errors=True)
    journal.clear(subject.layout)


async def forget(subject: Subject, hand: Hand, *, keep: object) -> None:
    """Remove our records of changes from all disks, but for those whose name ``keep`` accepts."""
    assert callable(keep)
    for disk in subject.disks:
        if disk.keeps_history:
            names = [name for name in (await hand.look(disk)).bitmaps if name.startswith(PREFIX) and not keep(name)]
            await hand.forget_changes(disk, names)


def record(number: str) -> str:
    """Return the name of the bitmap that records what changes since backup ``number``."""
    return f"{PREFIX}{number}"


async def _make(subject: Subject, qmp: Qmp, folder: Path, *, number: str, parent: Backup | None, known: list[Backup]) -> Backup:
    hand, partial = Running(qmp), _partial(folder, number)
    try:
        partial.mkdir(mode=0o700)
        copies = [await _plan(subject, hand, disk, partial=partial, number=number, parent=parent) for disk in subject.disks]
        consistency = await copy_out(subject, qmp, copies, folder=partial, step=BACKUP)
        made = await asyncio.to_thread(
            _complete, subject, partial, copies, number=number, parent=parent, known=known, consistency=consistency
        )
        os.rename(partial, folder / number)
        fs.sync_directory(folder)
    except BaseException:
        with suppress(QuarterdeckError):
            await clean_up(subject, hand, {"id": number, "folder": str(folder)})
        raise
    await _tidy_records(subject, hand, made, known)
    journal.clear(subject.layout)
    return made


async def _settle(subject: Subject) -> None:
    """Where QEMU went away in the middle, the disks are looked at by the next operation or start; else nothing is left to do."""
    with suppress(QuarterdeckError):
        entry = journal.read(subject.layout)
        if entry is not None and entry["operation"] == BACKUP and subject.live is None:
            await clean_up(subject, subject.hand, entry)


async def _plan(subject: Subject, hand: Hand, disk: MachineDisk, *, partial: Path, number: str, parent: Backup | None) -> DiskCopy:
    content = await hand.look(disk)
    since = record(parent.id) if parent is not None else ""
    plan = DiskCopy(disk=disk, target=partial / f"{disk.id}.qcow2", virtual_size=content.virtual_size)
    if not disk.keeps_history:
        return plan
    plan = dataclasses.replace(plan, record=record(number))
    if parent is None:
        return plan
    below = next((one for one in parent.disks if one.index == disk.index), None)
    if since not in content.usable or below is None or below.virtual_size > content.virtual_size:
        subject.tell(f"{disk.id} is copied whole: nothing tells what changed since {parent.id}, as after a crash or a restored snapshot")
        return plan
    return dataclasses.replace(plan, since=since, backing=f"../{parent.id}/{below.file}")


def _complete(
    subject: Subject, partial: Path, copies: list[DiskCopy], *, number: str, parent: Backup | None, known: list[Backup], consistency: str
) -> Backup:
    found = assets.pinned(subject.layout)
    assert found is not None
    disks = tuple(
        SavedDisk(index=copy.disk.index, file=copy.target.name, virtual_size=copy.virtual_size, incremental=bool(copy.since))
        for copy in copies
    )
    if found.kernel is not None and not any(disk.incremental for disk in disks):
        for name, source in (("kernel", found.kernel.kernel), ("initrd", found.kernel.initrd)):
            if source:
                shutil.copyfile(source, partial / name)
    paths = sorted(path for path in partial.rglob("*") if path.is_file())
    made = Backup(
        id=number,
        machine=subject.name,
        # The newest is what the next one counts from, also where the host's clock went back.
        created=max([clock.now(), *(one.created + _TICK for one in known)]),
        parent=parent.id if parent is not None else None,
        consistency=consistency,
        disks=disks,
        left_out=tuple(f"disk{index}" for index, disk in enumerate(disk_specs(subject.spec, found)) if disk.read_only),
        files={str(path.relative_to(partial)): (path.stat().st_size, chain.sha256(path)) for path in paths},
        spec=json.loads(spec_to_json(subject.spec)),
        assets=dataclasses.asdict(found),
        secrets={name: value for name, value in stored_secrets.load(subject.layout).items() if name == "password"},
    )
    chain.write(partial, made)
    return made


async def _tidy_records(subject: Subject, hand: Hand, made: Backup, known: list[Backup]) -> None:
    """From now on changes count from ``made``; other folders keep their records, but not without end, since each slows writing down."""
    older = {record(one.id) for one in known}
    await forget(subject, hand, keep=lambda name: name not in older)
    for disk in subject.disks:
        if disk.keeps_history:
            ours = sorted(name for name in (await hand.look(disk)).bitmaps if name.startswith(PREFIX))
            await hand.forget_changes(disk, ours[:-_MOST_RECORDS])
    subject.tell(f"backup {made.id}: {made.kind}, {format_size(made.size)}")


def _partial(folder: Path, number: str) -> Path:
    return folder / f".partial-{number}"


def _claim(folder: Path, name: str) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = fs.try_lock(folder / ".lock")
    except OSError as error:
        raise _unwritable(folder, error) from error
    if lock is None:
        raise UsageError("backup-busy", f"another backup is written to {folder} now", hint=f"try again later: qd backup {name}")
    return lock


def _check_machine(known: list[Backup], name: str, folder: Path) -> None:
    others = {one.machine for one in known} - {name}
    if others:
        raise UsageError("backup-of-another", f"{folder} holds backups of '{min(others)}'", hint="give each machine a folder of its own")


def _unwritable(folder: Path, error: OSError) -> HostError:
    hint = "make room and try again" if error.errno == errno.ENOSPC else "name a folder that you may write to, or the path of a new one"
    return HostError("backup-not-written", f"the backup cannot be written to {folder}", reason=error.strerror or str(error), hint=hint)
