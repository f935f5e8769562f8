"""A machine made of a backup. Every file that is needed is verified by its checksum before anything is used."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import spec_from_json
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import chain, derive, image, layers, newcomer
from quarterdeck.runtime.storage.chain import Backup, SavedDisk
from quarterdeck.runtime.store import MachineStore, unwritable

_STEP = "restore"


async def restore(
    store: MachineStore, folder: Path, *, name: str | None = None, number: str | None = None, report: Reporter
) -> MachineLayout:
    """Make a machine of the newest backup in ``folder`` (an absolute path), or of the one called ``number``.

    It has its old name unless ``name`` is given.

    Raises:
        UsageError: there is no such backup, or the name is taken.
        MediaError: a file that is needed is damaged or missing; the message names it.
        HostError: there is no space.
    """
    known = await asyncio.to_thread(chain.load_all, folder)
    backup = _choose(known, folder, number)
    spec, found = _made_of(backup)
    spec = spec if name in (None, backup.machine) else derive.renamed(spec, str(name))
    spec = replace(spec, name=name or backup.machine)
    store.check_free(str(spec.name))
    lineages = {disk.index: chain.lineage(known, backup, disk) for disk in backup.disks}
    for one in _needed(known, backup, lineages):
        report(Step(_STEP, StepStatus.RUNNING, f"verifying {one.id}"))
        await asyncio.to_thread(_verify, folder, one)
    try:
        root = MachineLayout(store.root / str(spec.name)).layers
        with layers.making(root) as fresh:
            bases = await _disks(folder, fresh, lineages, report)
            found = _boot_files(folder, fresh, _oldest(known, backup), _without_missing(found, report))
            layers.publish(fresh)
            made, pinned = derive.on_bases(spec, found, bases)
            return newcomer.publish(store, made, pinned, variables=folder / backup.id, tpm=True, hidden=backup.secrets)
    except OSError as error:
        raise unwritable(error) from error


def _choose(known: list[Backup], folder: Path, number: str | None) -> Backup:
    if not known:
        raise UsageError("no-backups", f"there are no backups in {folder}", hint="make one: qd backup NAME --to DIR")
    if number is None:
        return known[-1]
    for one in known:
        if one.id == number:
            return one
    raise UsageError("unknown-backup", f"there is no backup '{number}' in {folder}", hint=f"the newest is {known[-1].id}")


def _made_of(backup: Backup) -> tuple[MachineSpec, LocalAssets]:
    try:
        return spec_from_json(json.dumps(backup.spec).encode()), assets.from_json(backup.assets)
    except (KeyError, TypeError, ValueError) as error:
        raise MediaError("backup-damaged", f"the backup {backup.id} cannot be used", reason=f"it describes no machine: {error}") from None


def _needed(known: list[Backup], backup: Backup, lineages: dict[int, list[tuple[Backup, SavedDisk]]]) -> list[Backup]:
    ids = {one.id for line in lineages.values() for one, _ in line} | {backup.id, _oldest(known, backup).id}
    return [one for one in known if one.id in ids]


def _oldest(known: list[Backup], backup: Backup) -> Backup:
    """Return the full backup that ``backup`` goes back to: it has the kernel, where the machine boots one."""
    by_id = {one.id: one for one in known}
    while backup.kind == "incremental" and backup.parent in by_id:
        backup = by_id[str(backup.parent)]
    return backup


def _verify(folder: Path, backup: Backup) -> None:
    for text in chain.damage(folder, backup):
        reason = f"{backup.id}: {text}"
        raise MediaError(
            "backup-damaged", "the backup cannot be used", reason=reason, hint=f"see all that is wrong: qd backup --verify {folder}"
        )


async def _disks(folder: Path, fresh: Path, lineages: dict[int, list[tuple[Backup, SavedDisk]]], report: Reporter) -> dict[int, ImageFile]:
    bases: dict[int, ImageFile] = {}
    for index, line in lineages.items():
        source: ImageFile | None = None
        for backup, disk in reversed(line):
            source = ImageFile(str(folder / backup.id / disk.file), "qcow2", disk.virtual_size, source)
        assert source is not None
        target = fresh / f"disk{index}.qcow2"
        report(Step(_STEP, StepStatus.RUNNING, f"copying disk{index}"))
        await image.copy(source, target)
        bases[index] = ImageFile(str(layers.final(fresh) / target.name), "qcow2", source.virtual_size)
    return bases


def _boot_files(folder: Path, fresh: Path, full: Backup, found: LocalAssets) -> LocalAssets:
    """A kernel that QEMU loads is part of the machine: it comes from the backup, whether or not this host has the image."""
    if found.kernel is None or "kernel" not in full.files:
        return found
    final = layers.final(fresh)
    for name in {"kernel", "initrd"} & set(full.files):
        shutil.copyfile(folder / full.id / name, fresh / name)
    initrd = str(final / "initrd") if "initrd" in full.files else ""
    return replace(found, kernel=KernelBoot(str(final / "kernel"), initrd, found.kernel.cmdline))


def _without_missing(found: LocalAssets, report: Reporter) -> LocalAssets:
    """Optical disks are no part of a backup."""
    if found.boot_iso is not None and not Path(found.boot_iso.path).exists():
        report(Message(Level.WARNING, f"{found.boot_iso.path} is not here: the machine has no such optical disk any more"))
        found = replace(found, boot_iso=None)
    for _, part in found.images:
        if not Path(part.path).exists():
            report(Message(Level.WARNING, f"{part.path} is not here; the machine can start once it is put there, if it still needs it"))
    return found
