"""Sealing: what a machine's disks hold becomes a layer that is never written again, and the machine goes on in empty overlays.

The disk files are linked into the layer, the overlays are made beside the disks, and only then, with everything that is to happen in the
journal, they take the disks' places. Killed before that it is undone, after that it is finished.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from quarterdeck.core import fs
from quarterdeck.core.images import ImageFile
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.load import spec_from_json, spec_to_json
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import derive, image, journal, layers
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.subject import Subject
from quarterdeck.runtime.store import unwritable

SEAL = "seal"
_DEEPEST = 12
"""Layers below a disk; each makes reading a little slower."""


async def seal(subject: Subject) -> dict[int, ImageFile]:
    """Return what each disk stands on afterwards, by its number; a disk that was not written since the last time keeps its layer.

    Raises:
        UsageError: the machine runs, has snapshots, or a disk cannot be shared.
    """
    await _check(subject)
    bases: dict[int, ImageFile] = {}
    for disk in subject.disks:
        base = await _shared_already(subject, disk)
        if base is not None:
            bases[disk.index] = base
    rest = [disk for disk in subject.disks if disk.index not in bases]
    return bases | (await _seal(subject, rest) if rest else {})


async def finish(subject: Subject, entry: journal.Entry) -> str:
    """Finish or undo what a killed process left; return what was done."""
    if entry.get("committed") is not True:
        await asyncio.to_thread(_undo, subject, entry)
        return "the linked clone that was being made was undone"
    await asyncio.to_thread(_commit, subject, entry)
    return "the disks were moved to a shared layer, as was begun"


async def _check(subject: Subject) -> None:
    name = subject.name
    if subject.live is not None:
        raise UsageError("machine-running", f"machine '{name}' is running", hint=f"stop it first: qd stop {name}; or copy it whole: --full")
    for disk in subject.disks:
        if disk.in_place:
            reason = f"{disk.path} is your own file, which the spec uses in place"
            raise UsageError("disk-in-place", f"{disk.id} cannot be shared with a clone", reason=reason, hint="copy it whole: --full")
        if disk.backing is not None and len(disk.backing.chain()) >= _DEEPEST:
            hint = "copy it whole: --full"
            raise UsageError("too-many-layers", f"{disk.id} stands on {_DEEPEST} layers already", hint=hint)
        kept = (await subject.hand.look(disk)).snapshots
        if kept:
            reason = f"{disk.id} holds {len(kept)} of them, and a disk that clones stand on cannot go back"
            hint = f"copy it whole with --full, or remove them: qd snapshot ls {name}"
            raise UsageError("has-snapshots", f"machine '{name}' has snapshots", reason=reason, hint=hint)


async def _shared_already(subject: Subject, disk: MachineDisk) -> ImageFile | None:
    base = disk.backing
    if base is None or not Path(base.path).is_relative_to(subject.layout.layers):
        return None
    same = (await subject.hand.look(disk)).virtual_size == base.virtual_size
    return base if same and await image.unwritten(disk, subject.identity) else None


async def _seal(subject: Subject, disks: list[MachineDisk]) -> dict[int, ImageFile]:
    found = assets.pinned(subject.layout)
    assert found is not None
    with layers.making(subject.layout.layers) as fresh:
        layer = layers.final(fresh)
        bases: dict[int, ImageFile] = {}
        for disk in disks:
            size = (await subject.hand.look(disk)).virtual_size
            bases[disk.index] = dataclasses.replace(disk.image(size), path=str(layer / disk.path.name))
        entry: dict[str, Any] = {"layer": str(layer), "disks": {str(disk.index): disk.path.name for disk in disks}}
        journal.write(subject.layout, SEAL, **entry)
        try:
            for disk in disks:
                os.link(disk.path, fresh / disk.path.name)
                await _overlay(subject, disk, bases[disk.index])
            os.rename(fresh, layer)
            fs.sync_directory(layer.parent)
            spec, pinned = derive.on_bases(subject.spec, found, bases)
            entry |= {"committed": True, **_content(spec, pinned)}
            journal.write(subject.layout, SEAL, **entry)
        except BaseException:
            with suppress(OSError, QuarterdeckError):
                await asyncio.to_thread(_undo, subject, entry)
            raise
        await asyncio.to_thread(_commit, subject, entry)
    return bases


async def _overlay(subject: Subject, disk: MachineDisk, base: ImageFile) -> None:
    path = _beside(subject, disk.index)
    path.unlink(missing_ok=True)
    await image.create(path, base.virtual_size, backing=(base.path, base.format))
    path.chmod(0o600)
    if subject.identity is not None:
        os.chown(path, subject.identity.uid, subject.identity.gid, follow_symlinks=False)


def _content(spec: MachineSpec, pinned: LocalAssets) -> dict[str, Any]:
    return {"spec": json.loads(spec_to_json(spec)), "assets": dataclasses.asdict(pinned)}


def _commit(subject: Subject, entry: journal.Entry) -> None:
    """May be repeated: an overlay that is in its place already is no longer beside it."""
    layer = Path(str(entry["layer"]))
    layout = subject.layout
    try:
        for index in entry["disks"]:
            if (beside := _beside(subject, int(index))).exists():
                os.replace(beside, layout.disk(int(index), "qcow2"))
        fs.sync_directory(layout.vm)
        assets.pin(layout, assets.from_json(entry["assets"]))
        fs.write_atomic(layout.spec, spec_to_json(spec_from_json(json.dumps(entry["spec"]).encode())).encode())
        for index, name in entry["disks"].items():
            _take(layer / name)
            if name != layout.disk(int(index), "qcow2").name:
                (layout.vm / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    journal.clear(layout)


def _take(path: Path) -> None:
    """From now on the file is ours, and only to be read."""
    os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
    path.chmod(0o400)


def _undo(subject: Subject, entry: journal.Entry) -> None:
    """The disks are where they were; what was made beside them goes."""
    for index in entry["disks"]:
        _beside(subject, int(index)).unlink(missing_ok=True)
    shutil.rmtree(str(entry["layer"]), ignore_errors=True)
    journal.clear(subject.layout)


def _beside(subject: Subject, index: int) -> Path:
    return subject.layout.vm / f".sealed-disk{index}.qcow2"
