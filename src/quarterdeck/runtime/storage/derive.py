"""What a machine is made of once its disks stand on other images: spec and assets, rewritten. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quarterdeck.core.images import ImageFile
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.spec import DiskFormat, DiskSpec, MachineSpec
from quarterdeck.runtime.storage.disks import disk_specs


def on_bases(spec: MachineSpec, assets: LocalAssets, bases: Mapping[int, ImageFile]) -> tuple[MachineSpec, LocalAssets]:
    """Return spec and assets of the same machine whose disk number N is an overlay on ``bases[N]``; other disks stay."""
    disks: list[DiskSpec] = []
    images = dict(assets.images)
    boot_disk = assets.boot_disk
    for index, disk in enumerate(disk_specs(spec, assets)):
        base = bases.get(index)
        if base is None:
            disks.append(disk)
            continue
        if index == 0:
            boot_disk = base
        else:
            images[base.path] = base
        named = None if index == 0 else base.path
        disks.append(replace(disk, image=named, in_place=False, format=DiskFormat.QCOW2, size=base.virtual_size))
    used = {disk.image for disk in disks} | {drive.image for drive in spec.cdroms}
    kept = tuple((name, image) for name, image in images.items() if name in used)
    return replace(spec, disks=tuple(disks)), replace(assets, boot_disk=boot_disk, images=kept)


def renamed(spec: MachineSpec, name: str) -> MachineSpec:
    """Return the spec of another machine: UUID, instance id and MAC addresses come from the name; those that were given are dropped."""
    networks = tuple(replace(card, mac=None) for card in spec.networks)
    disks = spec.disks
    provision = replace(spec.provision, hostname=None) if spec.provision.hostname is not None else spec.provision
    return replace(spec, name=name, uuid=None, networks=networks, disks=disks, provision=provision)
