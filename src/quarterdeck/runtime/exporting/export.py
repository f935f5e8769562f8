"""A machine exported: its disks with all that they stand on, and what others need to know of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.arch import find_arch
from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.media.disk.convert import Made
from quarterdeck.media.disk.workplace import Workplace, check_target, sweep, workplace
from quarterdeck.media.export.appliance import Appliance, NumberedDisks
from quarterdeck.media.export.export import Form, export
from quarterdeck.runtime.exporting.copied import copied
from quarterdeck.runtime.exporting.sources import source
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.service import Storage
from quarterdeck.runtime.storage.still import choose
from quarterdeck.runtime.storage.subject import Subject
from quarterdeck.runtime.store import MachineRecord, MachineStore, lock_machine

Reach = Callable[[str], object]
"""Makes sure that the running machine of this name has a supervisor that answers."""


@dataclass(frozen=True)
class Exported(Made):
    """What was made, and how consistent it is: ``stopped``, ``agent`` (file systems frozen) or ``crash`` (as after a power cut)."""

    consistency: str

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {**super().to_json(), "consistency": self.consistency}


async def export_machine(
    store: MachineStore,
    name: str,
    target: Path,
    *,
    form: Form,
    reach: Reach,
    disk: int | None = None,
    force: bool = False,
    report: Reporter,
) -> Exported:
    """Write machine ``name`` to ``target``; ``disk`` is the number of the one to take where only one has a place.

    While it runs, the disks are first copied as they are at one moment, beside the target or in the machine's folder.

    Raises:
        UsageError: there is no such machine or disk, it is busy, or has several disks and none is named.
        MediaError: a disk cannot be read, or the target exists and ``force`` is false.
        HostError: no space, or the disks cannot be copied safely while the machine runs.
    """
    record, layout = store.get(name), store.layout(name)
    target = check_target(target, force=force)
    running = record.supervised or record.qemu_alive
    if running:
        reach(name)
    sweep(layout.root, report)
    with workplace(target, report) as work:
        way = _running if running else _at_rest
        async with way(layout, form, disk, work=work, report=report) as (subject, disks, consistency):
            made = await export(_appliance(record, subject, disks), target, form, work=work, force=force, report=report)
    return Exported(made.path, made.format, made.virtual_size, made.actual_size, consistency)


@asynccontextmanager
async def _running(
    layout: MachineLayout, form: Form, number: int | None, *, work: Workplace, report: Reporter
) -> AsyncIterator[tuple[Subject, NumberedDisks, str]]:
    subject = Subject.of(layout, report)
    chosen = _choose(subject, form, number)
    async with copied(subject, chosen, form, work=work, report=report) as (disks, consistency):
        yield subject, disks, consistency


@asynccontextmanager
async def _at_rest(
    layout: MachineLayout, form: Form, number: int | None, *, work: Workplace, report: Reporter
) -> AsyncIterator[tuple[Subject, NumberedDisks, str]]:
    with _held(layout):
        await Storage(layout, report).recover(None)
        subject = Subject.of(layout, report)
        chosen = _choose(subject, form, number)
        yield subject, tuple([(one.index, await source(one, work, report)) for one in chosen]), "stopped"


@contextmanager
def _held(layout: MachineLayout) -> Iterator[None]:
    """Hold the machine's lock, so that it is not started meanwhile."""
    lock = lock_machine(layout)
    try:
        yield
    finally:
        os.close(lock)


def _choose(subject: Subject, form: Form, number: int | None) -> tuple[MachineDisk, ...]:
    disks = choose(subject, number)
    if len(disks) > 1 and not form.holds_all:
        known = ", ".join(str(disk.index) for disk in disks)
        hint = "--disk N chooses one; --format ova takes all"
        raise UsageError(
            "several-disks", f"machine '{subject.name}' has several disks: {known}", reason=f"{form.name} holds one", hint=hint
        )
    return disks


def _appliance(record: MachineRecord, subject: Subject, disks: NumberedDisks) -> Appliance:
    return Appliance(
        name=record.name,
        arch=find_arch(record.arch),
        cpus=record.cpus,
        memory=record.memory,
        uefi=subject.layout.firmware_variables.exists(),
        cards=len(subject.spec.networks),
        disks=disks,
    )
