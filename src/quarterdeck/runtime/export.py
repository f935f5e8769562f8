"""A machine at rest as something to export: its disks with all that they stand on, and what others need to know of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quarterdeck.core.arch import find_arch
from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.machine.assets import ImageFile
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.media.disk.convert import Made
from quarterdeck.media.disk.source import Source, open_source, open_tree, source_of
from quarterdeck.media.disk.workplace import Workplace, check_target, workplace
from quarterdeck.media.export.appliance import Appliance
from quarterdeck.media.export.export import Form, export
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.service import Storage
from quarterdeck.runtime.storage.subject import Subject
from quarterdeck.runtime.store import MachineRecord, MachineStore, lock_machine


async def export_machine(
    store: MachineStore, name: str, target: Path, *, form: Form, disk: int | None = None, force: bool = False, report: Reporter
) -> Made:
    """Write machine ``name``, which is at rest, to ``target``; ``disk`` is the number of the one to take where only one has a place.

    Raises:
        UsageError: there is no such machine or disk, it runs, or has several disks and none is named.
        MediaError: a disk cannot be read, or the target exists and ``force`` is false.
        HostError: no space.
    """
    record, layout = store.get(name), store.layout(name)
    target = check_target(target, force=force)
    with _at_rest(record, layout), workplace(target, report) as work:
        await Storage(layout, report).recover(None)
        subject = Subject.of(layout, report)
        chosen = _choose(subject.disks, form, disk, name=name)
        disks = tuple([(one.index, await _source(one, work, report)) for one in chosen])
        machine = Appliance(
            name=name,
            arch=find_arch(record.arch),
            cpus=record.cpus,
            memory=record.memory,
            uefi=layout.firmware_variables.exists(),
            cards=len(subject.spec.networks),
            disks=disks,
        )
        return await export(machine, target, form, work=work, force=force, report=report)


@contextmanager
def _at_rest(record: MachineRecord, layout: MachineLayout) -> Iterator[None]:
    """Hold the machine's lock, so that it is not started meanwhile."""
    name = record.name
    if record.supervised or record.qemu_alive:
        hint = f"stop it first: qd stop {name}; or export a copy: qd clone {name} COPY --full"
        raise UsageError("machine-busy", f"machine '{name}' is running", reason="its disks change while they are read", hint=hint)
    lock = lock_machine(layout)
    try:
        yield
    finally:
        os.close(lock)


def _choose(disks: tuple[MachineDisk, ...], form: Form, number: int | None, *, name: str) -> tuple[MachineDisk, ...]:
    known = ", ".join(str(disk.index) for disk in disks)
    if number is not None:
        chosen = tuple(disk for disk in disks if disk.index == number)
        if not chosen:
            reason = f"it writes these: {known or 'none'}"
            raise UsageError("no-such-disk", f"machine '{name}' has no disk {number}", reason=reason)
        return chosen
    if not disks:
        raise UsageError("no-disks", f"machine '{name}' has no disk that it writes", reason="there is nothing to export")
    if len(disks) > 1 and not form.holds_all:
        hint = "--disk N chooses one; --format ova takes all"
        raise UsageError("several-disks", f"machine '{name}' has several disks: {known}", reason=f"{form.name} holds one", hint=hint)
    return disks


async def _source(disk: MachineDisk, work: Workplace, report: Reporter) -> Source:
    if disk.in_place:  # the user's own file, whatever that stands on
        return await open_source(disk.path, work, member=None, report=report)
    files = [disk.path, *(Path(image.path) for image in (disk.backing.chain() if disk.backing else ()))]
    return await source_of(_tree(disk), files, name=str(disk.path), report=report)


def _tree(disk: MachineDisk) -> dict[str, Any]:
    """Names in the header of a disk that a guest could have written are not followed: its chain is given whole."""
    tree = open_tree(disk.path, disk.format)
    if disk.format == "qcow2":
        tree["backing"] = None if disk.backing is None else _below(disk.backing)
    return tree


def _below(image: ImageFile) -> dict[str, Any]:
    tree = open_tree(Path(image.path), image.format)
    return tree if image.backing is None else {**tree, "backing": _below(image.backing)}
