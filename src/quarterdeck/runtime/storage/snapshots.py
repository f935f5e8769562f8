"""Snapshots: made, gone back to, removed. They lie inside the qcow2 disks; ``docs/storage.md`` says why."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from quarterdeck.core import clock
from quarterdeck.core.report import Level
from quarterdeck.errors import DeadlineError, HostError, QemuError, QuarterdeckError, UsageError
from quarterdeck.runtime.storage import besides, image, jobs, journal, snapshot
from quarterdeck.runtime.storage.disks import MachineDisk, with_history
from quarterdeck.runtime.storage.moment import moment
from quarterdeck.runtime.storage.snapshot import Snapshot, inner_name
from quarterdeck.runtime.storage.subject import Live, Subject
from quarterdeck.runtime.store import unwritable

CREATE, RESTORE, REMOVE = "snapshot-create", "snapshot-restore", "snapshot-rm"
_SECONDS = 300.0


async def create(subject: Subject, tag: str | None, *, memory: bool = False) -> Snapshot:
    """Make a snapshot of all disks at one moment, with UEFI variables and TPM, and with ``memory`` the running guest itself.

    Raises:
        UsageError: the name is taken or none, a disk cannot hold snapshots, or ``memory`` of a machine at rest is wanted.
        QuarterdeckError: it failed; nothing of it is left.
    """
    chosen = snapshot.fresh_tag(subject.layout, tag)
    disks = with_history(subject.disks, what="a snapshot")
    if memory and subject.live is None:
        raise UsageError("not-running", "a machine that does not run has no memory to keep", hint="leave --memory out")
    journal.write(subject.layout, CREATE, tag=chosen)
    try:
        made = await _create(subject, chosen, disks, memory=memory)
        snapshot.publish(subject.layout, made)
    except OSError as error:
        await _try_to_take_back(subject, chosen)
        raise unwritable(error) from error
    except QemuError as error:
        # Of memory that has no room QEMU says "Input/output error" only.
        full = "No space left" in error.reason or not os.statvfs(subject.layout.vm).f_bavail
        await _try_to_take_back(subject, chosen)
        if full:
            raise _no_room(chosen) from error
        raise
    except BaseException:
        await _try_to_take_back(subject, chosen)
        raise
    journal.clear(subject.layout)
    return made


def _no_room(tag: str) -> HostError:
    hint = "make room and try again; nothing was lost"
    return HostError("disk-full", f"the snapshot '{tag}' cannot be made", reason="the host's disk is full", hint=hint)


async def take_back(subject: Subject, tag: str) -> None:
    """Undo a snapshot that was not completed."""
    await _delete_inside(subject, subject.disks, tag)
    await asyncio.to_thread(shutil.rmtree, snapshot.staging(subject.layout), ignore_errors=True)
    journal.clear(subject.layout)


async def _try_to_take_back(subject: Subject, tag: str) -> None:
    """What fails here is left to the next operation or start; what went wrong before matters more."""
    with suppress(QuarterdeckError):
        await take_back(subject, tag)


async def restore(subject: Subject, tag: str) -> Snapshot:
    """Go back to a snapshot: what came after it is lost. A running guest goes on from the snapshot's memory.

    Raises:
        UsageError: there is no such snapshot, or it has no memory for a guest that runs.
        QuarterdeckError: it failed; the next start finishes it.
    """
    found = snapshot.load(subject.layout, tag)
    disks = _kept(subject, found)
    if subject.live is not None and not found.memory:
        hint = f"stop the machine first: qd stop {subject.name}"
        raise UsageError("snapshot-without-memory", f"the snapshot '{tag}' has no memory to go on from", hint=hint)
    journal.write(subject.layout, RESTORE, tag=tag)
    if subject.live is not None:
        await _load(subject, subject.live, found, disks)
    else:
        await _reset(subject, found, disks)
    journal.clear(subject.layout)
    return found


async def remove(subject: Subject, tag: str) -> None:
    """Delete a snapshot and give its space back to the disks.

    Raises:
        UsageError: there is no such snapshot.
        QuarterdeckError: it failed; the next operation finishes it.
    """
    found = snapshot.load(subject.layout, tag)
    journal.write(subject.layout, REMOVE, tag=found.tag)
    await finish_removal(subject, found.tag)


async def finish_removal(subject: Subject, tag: str) -> None:
    """Do what is left of a removal."""
    snapshot.withdraw(subject.layout, tag)
    await take_back(subject, tag)


async def _create(subject: Subject, tag: str, disks: tuple[MachineDisk, ...], *, memory: bool) -> Snapshot:
    staged = snapshot.stage(subject.layout)
    made = Snapshot(tag=tag, created=clock.now(), memory=memory, consistency="memory", disks=tuple(disk.id for disk in disks))
    async with moment(subject, freeze=not memory) as consistency:
        await asyncio.to_thread(besides.save, subject.layout, staged)
        if subject.live is None:
            for disk in disks:
                await image.snapshot(disk, "-c", inner_name(tag), subject.identity)
        elif memory:
            await _job(subject.live, "snapshot-save", tag, disks)
        else:
            await _together(subject.live, tag, disks)
    return made if memory else replace(made, consistency=consistency)


async def _together(live: Live, tag: str, disks: tuple[MachineDisk, ...]) -> None:
    """Snapshot all disks in one transaction: all or none."""
    actions = [{"type": "blockdev-snapshot-internal-sync", "data": {"device": disk.id, "name": inner_name(tag)}} for disk in disks]
    await live.instance.qmp.execute("transaction", {"actions": actions}, timeout=_SECONDS)


async def _job(live: Live, command: str, tag: str, disks: tuple[MachineDisk, ...]) -> None:
    nodes = [disk.id for disk in disks]
    job = f"{jobs.PREFIX}{command}"
    arguments = {"job-id": job, "tag": inner_name(tag), "vmstate": nodes[0], "devices": nodes}
    await live.instance.qmp.execute(command, arguments, timeout=_SECONDS)
    await jobs.finish(live.instance.qmp, [job])


async def _load(subject: Subject, live: Live, found: Snapshot, disks: tuple[MachineDisk, ...]) -> None:
    """QEMU goes back to no snapshot of a disk whose changes are recorded, so the records end here."""
    await _forget_changes(subject, disks)
    try:
        await _job(live, "snapshot-load", found.tag, disks)
        if not (await live.instance.qmp.status()).running:
            await live.instance.qmp.cont()
    except (QemuError, DeadlineError, HostError) as error:
        hint = f"qd stop --force {subject.name}, then qd start {subject.name}: its disks will be those of the snapshot"
        raise QemuError("snapshot-not-loaded", "the guest cannot go on from the snapshot", reason=error.reason, hint=hint) from error


async def _reset(subject: Subject, found: Snapshot, disks: tuple[MachineDisk, ...]) -> None:
    await _forget_changes(subject, disks)
    for disk in disks:
        await image.snapshot(disk, "-a", inner_name(found.tag), subject.identity)
    try:
        await asyncio.to_thread(besides.bring_back, subject.layout, snapshot.folder(subject.layout, found.tag), subject.identity)
    except OSError as error:
        raise unwritable(error) from error
    if found.memory:
        hint = f"to go on from its memory: qd start {subject.name}, then restore it again"
        subject.tell(f"the disks are those of '{found.tag}'; the guest will boot anew. {hint}")


async def _forget_changes(subject: Subject, disks: Iterable[MachineDisk]) -> None:
    for disk in disks:
        names = (await subject.hand.look(disk)).bitmaps
        if names:
            await subject.hand.forget_changes(disk, names)
            subject.tell(f"{disk.id}: the next backup will be a full one")


def _kept(subject: Subject, found: Snapshot) -> tuple[MachineDisk, ...]:
    """Return the disks that the snapshot has; a disk that came later stays as it is."""
    by_id = {disk.id: disk for disk in subject.disks}
    missing = [name for name in found.disks if name not in by_id]
    if missing:
        raise UsageError("disk-gone", f"the snapshot '{found.tag}' has {missing[0]}, which the machine has no longer")
    for name in sorted(set(by_id) - set(found.disks)):
        subject.tell(f"{name} is not in the snapshot '{found.tag}' and stays as it is", Level.WARNING)
    return tuple(by_id[name] for name in found.disks)


async def _delete_inside(subject: Subject, disks: Iterable[MachineDisk], tag: str) -> None:
    for disk in disks:
        if disk.keeps_history and inner_name(tag) in (await subject.hand.look(disk)).snapshots:
            await subject.hand.delete_snapshot(disk, inner_name(tag))
        if disk.keeps_history and subject.live is None:
            await image.mend_leaks(disk, subject.identity)
