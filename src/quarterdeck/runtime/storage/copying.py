"""Copies of all disks as they are at one moment, made by the QEMU that has them open while the guest goes on writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from quarterdeck.core.fs import sync_file
from quarterdeck.core.report import Step, StepStatus
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.storage import besides, image, jobs
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.engine import hand_over
from quarterdeck.runtime.storage.jobs import PREFIX, Progress
from quarterdeck.runtime.storage.moment import moment
from quarterdeck.runtime.storage.subject import Subject

_SECONDS = 300.0
_GRANULARITY = 65536
"""Bytes that one bit of a record of changes stands for: a cluster of the copies."""


@dataclass(frozen=True, kw_only=True)
class DiskCopy:
    """One disk to copy to the qcow2 file ``target``. ``since`` names the bitmap whose changes are copied, empty: everything.

    ``backing`` is the name of the file that a copy of changes stands on, for its header. ``record`` names a bitmap that
    begins to record changes at this very moment, empty: none.
    """

    disk: MachineDisk
    target: Path
    virtual_size: int
    since: str = ""
    backing: str = ""
    record: str = ""


async def copy_out(subject: Subject, qmp: Qmp, copies: Sequence[DiskCopy], *, folder: Path, step: str, tpm: bool = True) -> str:
    """Copy disks, and UEFI variables and TPM of the same moment to ``folder``; return how consistent they are, see :func:`moment`.

    Raises:
        HostError: the target is full.
        QemuError: QEMU could not do it, or is gone.
        OSError: a file cannot be made.
    """
    save = partial(besides.save, subject.layout, folder, tpm=tpm)
    async with AsyncExitStack() as stack:
        actions: list[dict[str, Any]] = []
        for copy in copies:
            await image.create(copy.target, copy.virtual_size, backing=(copy.backing, "qcow2") if copy.backing else None)
            await stack.enter_async_context(_target(qmp, copy))
            actions += _actions(copy)
        consistency = await _copy(subject, qmp, actions, save=save, progress=_progress(subject, step))
    for copy in copies:
        await asyncio.to_thread(sync_file, copy.target)
    return consistency


async def _copy(subject: Subject, qmp: Qmp, actions: Sequence[dict[str, Any]], *, save: Callable[[], object], progress: Progress) -> str:
    """Begin the jobs and ``save`` what is beside the disks in one moment, and wait until the jobs end. They do nothing while it lasts."""
    names = [str(action["data"]["job-id"]) for action in actions if action["type"] == "blockdev-backup"]
    ran = (await qmp.status()).running
    try:
        async with moment(subject) as consistency:
            if actions:
                await qmp.execute("transaction", {"actions": actions}, timeout=_SECONDS)
                await jobs.hold(qmp, names)
            await asyncio.to_thread(save)
        await jobs.finish(qmp, names, progress=progress)
    except BaseException:
        await jobs.cancel(qmp, names)
        if ran:
            await _go_on(qmp)
        raise
    return consistency


async def _go_on(qmp: Qmp) -> None:
    """Let a guest go on that stands still because what it was about to overwrite could not be copied; QEMU writes it then."""
    with suppress(QemuError, DeadlineError):
        if (await qmp.status()).status == "io-error":
            await qmp.cont()


async def drop_targets(qmp: Qmp) -> None:
    """Close what a killed supervisor left open in a QEMU that runs on: targets of copies, and the files handed over for them."""
    nodes = await qmp.execute("query-named-block-nodes", {"flat": True})
    for node in nodes:
        if str(node.get("node-name", "")).startswith(f"{PREFIX}target-"):
            await _drop(qmp, str(node["node-name"]), str(node.get("file", "")))


@asynccontextmanager
async def _target(qmp: Qmp, copy: DiskCopy) -> AsyncIterator[None]:
    """QEMU has the target open inside the block; its backing file stays closed, since nothing is read from it."""
    name, file = _node(copy.disk), await hand_over(qmp, copy.target, writable=True)
    try:
        node = {"driver": "qcow2", "node-name": name, "file": {"driver": "file", "filename": file}, "backing": None, "discard": "unmap"}
        await qmp.execute("blockdev-add", node)
        yield
    finally:
        await _drop(qmp, name, file)


async def _drop(qmp: Qmp, node: str, file: str) -> None:
    with suppress(QemuError, DeadlineError):
        await qmp.execute("blockdev-del", {"node-name": node}, timeout=_SECONDS)
    number = file.removeprefix("/dev/fdset/")
    if number.isdecimal():
        with suppress(QemuError, DeadlineError):
            await qmp.execute("remove-fd", {"fdset-id": int(number)})


def _actions(copy: DiskCopy) -> list[dict[str, Any]]:
    """Return what belongs into the transaction: QEMU ``docs/interop/bitmaps.rst``, point-in-time backups with new bitmaps.

    The old bitmap is left as it is (``never``), so that nothing is lost when the copy is not completed.
    """
    backup: dict[str, Any] = {"job-id": _job(copy.disk), "device": copy.disk.id, "target": _node(copy.disk), **jobs.BY_HAND}
    backup |= {"sync": "bitmap", "bitmap": copy.since, "bitmap-mode": "never"} if copy.since else {"sync": "full"}
    actions: list[dict[str, Any]] = [{"type": "blockdev-backup", "data": backup}]
    if copy.record:
        bitmap = {"node": copy.disk.id, "name": copy.record, "persistent": True, "granularity": _GRANULARITY}
        actions.insert(0, {"type": "block-dirty-bitmap-add", "data": bitmap})
    return actions


def _progress(subject: Subject, step: str) -> Progress:
    last = -1

    def report(done: int, total: int) -> None:
        nonlocal last
        percent = done * 100 // total if total else 0
        if percent > last:
            last = percent
            subject.report(Step(step, StepStatus.RUNNING, subject.name, done=done, total=total, unit="bytes"))

    return report


def _job(disk: MachineDisk) -> str:
    return f"{PREFIX}copy-{disk.id}"


def _node(disk: MachineDisk) -> str:
    return f"{PREFIX}target-{disk.id}"
