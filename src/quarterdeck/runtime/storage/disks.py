"""Which disks a machine has, what they stand on, and which of them storage operations leave out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.images import ImageFile
from quarterdeck.core.process import Identity
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import DiskFormat, DiskSpec, MachineSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.logs import open_regular

_QCOW2 = b"QFI\xfb"
_EXTERNAL_DATA = 1 << 2
"""Incompatible feature bit 2 of a qcow2 header (QEMU ``docs/interop/qcow2.txt``): the data lies in another file, which the header names."""


@dataclass(frozen=True, kw_only=True)
class MachineDisk:
    """One disk that a machine writes. ``id`` is also the name of its node in QEMU; ``backing`` is what its overlay stands on.

    ``in_place`` says that it is the user's own file, not one of ours.
    """

    id: str
    index: int
    path: Path
    format: str
    backing: ImageFile | None
    in_place: bool

    @property
    def keeps_history(self) -> bool:
        """Whether snapshots and records of changes can be kept in it: it is a qcow2 file of ours."""
        return self.format == "qcow2" and not self.in_place

    def image(self, virtual_size: int) -> ImageFile:
        """Return the disk as an image with all that it stands on."""
        return ImageFile(str(self.path), self.format, virtual_size, self.backing)


def machine_disks(layout: MachineLayout, spec: MachineSpec) -> tuple[MachineDisk, ...]:
    """Return all disks that the machine writes; read-only ones and optical drives are none of them.

    Raises:
        UsageError: the machine has not been started yet, so it has no disks.
        MediaError: one of them is missing, or is none that Quarterdeck could have made.
    """
    found = assets.pinned(layout)
    if found is None:
        name = layout.root.name
        raise UsageError("no-disks-yet", f"machine '{name}' has no disks yet", reason="its first start makes them", hint=f"qd start {name}")
    disks = planned_disks(layout, spec, found)
    for disk in disks:
        _check(disk)
    return disks


def planned_disks(layout: MachineLayout, spec: MachineSpec, found: LocalAssets) -> tuple[MachineDisk, ...]:
    """Return the disks that a machine of this spec writes, whether or not they are there yet."""
    return tuple(_disk(layout, found, index, disk) for index, disk in enumerate(disk_specs(spec, found)) if not disk.read_only)


def disk_specs(spec: MachineSpec, found: LocalAssets) -> tuple[DiskSpec, ...]:
    """Return the disks of ``spec``, with the one that a spec without any means."""
    only_kernel = found.kernel is not None and found.boot_disk is None and found.boot_iso is None
    return spec.disks or (() if only_kernel else (DiskSpec(),))


def with_history(disks: tuple[MachineDisk, ...], *, what: str) -> tuple[MachineDisk, ...]:
    """Return ``disks``, all of which can hold snapshots.

    Raises:
        UsageError: one cannot, or there is none.
    """
    for disk in disks:
        if disk.in_place:
            reason = f"{disk.path} is your own file, which the spec uses in place; Quarterdeck writes no snapshots into it"
            raise UsageError(
                "disk-in-place", f"{what} is not possible with {disk.id}", reason=reason, hint="leave 'in_place' out of the spec"
            )
        if disk.format != "qcow2":
            hint = "make it a qcow2 disk; 'qd backup' works for raw ones too"
            raise UsageError(
                "disk-raw", f"{what} is not possible with {disk.id}", reason="it is a raw disk, which has no room for it", hint=hint
            )
    if not disks:
        raise UsageError("no-disks", f"{what} is not possible", reason="the machine has no disk that it writes")
    return disks


def owner(layout: MachineLayout) -> Identity | None:
    """Return the user that QEMU runs as, or None when it is us."""
    status = layout.vm.stat()
    if os.geteuid() != 0 or status.st_uid == 0:
        return None
    return Identity(status.st_uid, status.st_gid)


def _disk(layout: MachineLayout, found: LocalAssets, index: int, disk: DiskSpec) -> MachineDisk:
    boots = found.boot_disk if index == 0 else None
    base = found.image(disk.image) if disk.image is not None else boots
    if base is not None and disk.in_place:
        return MachineDisk(id=f"disk{index}", index=index, path=Path(base.path), format=base.format, backing=None, in_place=True)
    kind = "qcow2" if base is not None else str(disk.format)
    path = layout.disk(index, "raw" if kind == DiskFormat.RAW else "qcow2")
    return MachineDisk(id=f"disk{index}", index=index, path=path, format=kind, backing=base, in_place=False)


def _check(disk: MachineDisk) -> None:
    """A guest that broke out of QEMU could have put a link in the disk's place, or a header that names other files."""
    try:
        handle = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC) if disk.in_place else open_regular(disk.path)
    except OSError as error:
        raise MediaError("disk-gone", f"{disk.id} of the machine cannot be opened", reason=error.strerror or str(error)) from None
    with os.fdopen(handle, "rb") as file:
        head = file.read(80)
    if disk.format != "qcow2":
        return
    version = int.from_bytes(head[4:8], "big")
    if head[:4] != _QCOW2 or version not in (2, 3):
        raise MediaError("disk-damaged", f"{disk.path} is no qcow2 disk any more")
    if version == 3 and int.from_bytes(head[72:80], "big") & _EXTERNAL_DATA:
        raise MediaError("disk-odd", f"{disk.path} keeps its data in another file", reason="no disk that Quarterdeck makes does that")
