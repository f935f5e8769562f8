"""What no single field can tell: fields that contradict each other. Each rule is a generator of findings."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Hashable, Iterable, Iterator

from quarterdeck.core.arch import find_arch
from quarterdeck.core.place import Loc
from quarterdeck.errors import UsageError
from quarterdeck.machine.check_network import networks
from quarterdeck.machine.check_viewer import viewer
from quarterdeck.machine.spec import Aio, Cache, CdromSpec, DiskBus, DiskFormat, DiskSpec, Firmware, MachineSpec, UsbSpec
from quarterdeck.machine.validate import Finding

CDROM_BUSES = frozenset({DiskBus.SATA, DiskBus.IDE, DiskBus.USB, DiskBus.VIRTIO_SCSI})
UNCACHED = frozenset({Cache.NONE, Cache.DIRECTSYNC})
_SMALLEST = 1 << 20


def check(spec: MachineSpec) -> list[Finding]:
    """Return everything that is wrong with ``spec`` as a whole; empty when it makes sense."""
    return [finding for rule in _RULES for finding in rule(spec)]


def _processor(spec: MachineSpec) -> Iterator[Finding]:
    if spec.arch is not None:
        try:
            arch = find_arch(spec.arch)
        except UsageError as error:
            yield Finding(("arch",), error.message, error.hint)
        else:
            if not arch.system:
                yield Finding(("arch",), f"QEMU has no whole machine for '{arch.name}'", "it runs single programs only: see 'qd binfmt'")
    if isinstance(spec.memory, int) and spec.memory < _SMALLEST:
        yield Finding(("memory",), f"{spec.memory} bytes is too little", f"did you mean {spec.memory}M?")
    yield from _topology(spec)
    for index, word in enumerate(spec.qemu_args):
        if "\0" in word:
            yield Finding(("qemu_args", index), "must not hold a NUL character")


def _ballooning(spec: MachineSpec) -> Iterator[Finding]:
    wanted = spec.ballooning
    if wanted is None:
        return
    if not spec.balloon:
        yield Finding(("ballooning",), "needs the balloon", "remove 'balloon: false'")
    if isinstance(wanted.minimum, int) and isinstance(spec.memory, int) and wanted.minimum > spec.memory:
        yield Finding(("ballooning", "minimum"), "is more than 'memory'")
    for soft in ("usage", "pressure"):
        if getattr(wanted, soft) >= getattr(wanted, f"{soft}_hard"):
            yield Finding(("ballooning", f"{soft}_hard"), f"must be more than '{soft}'")


def _topology(spec: MachineSpec) -> Iterator[Finding]:
    shape = spec.topology
    if shape is None:
        return
    count = shape.sockets * shape.dies * shape.cores * shape.threads
    if count != spec.cpus:
        yield Finding(("topology",), f"makes {count} CPUs, and 'cpus' says {spec.cpus}", f"set cpus: {count}")


def _firmware(spec: MachineSpec) -> Iterator[Finding]:
    if spec.firmware_image is not None and spec.firmware is not Firmware.AUTO:
        yield Finding(("firmware",), "contradicts 'firmware_image', which takes its place", "remove one of the two")
    if spec.firmware_variables is not None and (spec.firmware_image is not None or spec.firmware is Firmware.BIOS):
        yield Finding(("firmware_variables",), "are for UEFI", "set firmware: uefi")
    if spec.tpm_state is not None and not spec.tpm:
        yield Finding(("tpm_state",), "is for a TPM", "set tpm: true")
    if spec.boot_bus is not None and spec.boot_bus not in CDROM_BUSES:
        yield from _cdrom(CdromSpec(bus=spec.boot_bus), ("boot_bus",))


def _disks(spec: MachineSpec) -> Iterator[Finding]:
    for index, disk in enumerate(spec.disks):
        for finding in (*_disk(disk), *_disk_position(spec, disk, index)):
            yield Finding(("disks", index, *finding.loc), finding.message, finding.hint)


def _disk(disk: DiskSpec) -> Iterator[Finding]:
    if disk.size is not None and disk.size < _SMALLEST:
        yield Finding(("size",), f"{disk.size} bytes is too little", f"did you mean {disk.size}G?")
    if disk.in_place and disk.image is None:
        yield Finding(("in_place",), "needs 'image': the file to write to", "name the file in 'image' of this disk, not in 'boot'")
    if disk.in_place and disk.size is not None:
        yield Finding(
            ("size",), "an image that is used in place keeps its size", "remove 'size', or resize the file with 'qemu-img resize'"
        )
    if disk.in_place and disk.read_only:
        yield Finding(("read_only",), "contradicts 'in_place', which writes to the image")
    if disk.read_only and disk.image is None:
        yield Finding(("read_only",), "a new, empty disk must be writable")
    if disk.image is not None and disk.format is not DiskFormat.QCOW2:
        yield Finding(("format",), "is for new disks; an overlay on an image is always qcow2", "remove 'format'")
    if disk.aio is Aio.NATIVE and disk.cache not in UNCACHED:
        yield Finding(("aio",), "'native' needs the cache 'none' or 'directsync'", "add 'cache: none'")


def _disk_position(spec: MachineSpec, disk: DiskSpec, index: int) -> Iterator[Finding]:
    if index == 0 and disk.read_only and disk.image is not None and spec.boot is None:
        yield Finding(("read_only",), "the machine boots from its first disk and must be able to write to it")
    if index > 0 and disk.size is None and disk.image is None:
        yield Finding((), "needs 'size' or 'image'", "only the first disk has a default size")


def _cdroms(spec: MachineSpec) -> Iterator[Finding]:
    for index, drive in enumerate(spec.cdroms):
        yield from _cdrom(drive, ("cdroms", index))


def _cdrom(drive: CdromSpec, loc: Loc) -> Iterator[Finding]:
    if drive.bus is not None and drive.bus not in CDROM_BUSES:
        names = ", ".join(sorted(CDROM_BUSES))
        yield Finding(loc if loc == ("boot_bus",) else (*loc, "bus"), f"an optical drive cannot be on '{drive.bus}'", f"use one of {names}")


def _written_images(spec: MachineSpec) -> Iterator[Finding]:
    """An image that is written in place must not be opened a second time, in whatever role."""
    disks = [(("disks", index), disk.image, disk.in_place) for index, disk in enumerate(spec.disks)]
    drives = [(("cdroms", index), drive.image, False) for index, drive in enumerate(spec.cdroms)]
    uses = [(loc, os.path.normpath(image), writes) for loc, image, writes in (*disks, *drives) if image]
    for number, (loc, image, writes) in enumerate(uses):
        for other, same, also in uses[:number]:
            if image == same and (writes or also):
                yield Finding((*loc, "image"), f"is written in place by {other[0]}[{other[1]}] or here, and used twice", "use it once")
    boot = spec.boot and os.path.normpath(spec.boot)
    for loc, image, writes in uses:
        if writes and image == boot:
            yield Finding((*loc, "image"), "is written in place and also what 'boot' names", "remove 'boot'; the first disk boots as it is")


def _usb(spec: MachineSpec) -> Iterator[Finding]:
    for index, device in enumerate(spec.usb):
        yield from _usb_device(device, ("usb", index))


def _usb_device(device: UsbSpec, loc: Loc) -> Iterator[Finding]:
    identity = (device.vendor is not None, device.product is not None)
    where = (device.bus is not None, device.port is not None)
    for pair, names in ((identity, "'vendor' and 'product'"), (where, "'bus' and 'port'")):
        if any(pair) and not all(pair):
            yield Finding(loc, f"needs both {names}")
    if not any(identity) and not any(where):
        yield Finding(loc, "needs 'vendor' and 'product', or 'bus' and 'port'", "'lsusb' shows both")


def _unique(spec: MachineSpec) -> Iterator[Finding]:
    yield from _repeated("shares", "tag", [share.tag for share in spec.shares])
    yield from _repeated("networks", "mac", [network.mac for network in spec.networks])
    yield from _repeated("disks", "serial", [disk.serial for disk in spec.disks])


def _repeated(group: str, name: str, values: Iterable[Hashable]) -> Iterator[Finding]:
    seen: dict[Hashable, int] = {}
    for index, value in enumerate(values):
        if value is not None and value in seen:
            yield Finding((group, index, name), f"is the same as that of {group}[{seen[value]}]", f"give each its own {name}")
        seen.setdefault(value, index)


def _display(spec: MachineSpec) -> Iterator[Finding]:
    if spec.display.kind == "none" and spec.display.resolution is not None:
        yield Finding(("display", "resolution"), "there is no screen with the kind 'none'")
    if spec.display.gpu and (spec.display.kind == "none" or spec.display.device is not None):
        yield Finding(("display", "gpu"), "needs a screen, and chooses its device itself", "remove 'kind' and 'device' of display")
    if spec.display.kind == "none" and spec.display.device is not None:
        yield Finding(("display", "device"), "there is no screen with the kind 'none'")
    if spec.display.kind != "spice" and spec.display.spice_port is not None:
        yield Finding(("display", "spice_port"), f"has no effect with the kind '{spec.display.kind}'", "set kind: spice")
    if spec.display.spice_port is None and spec.display.spice_tls is not None:
        yield Finding(("display", "spice_tls"), "is for a TCP port", "set spice_port, or remove it: the Unix socket is private")


_RULES: tuple[Callable[[MachineSpec], Iterator[Finding]], ...] = (
    _processor,
    _ballooning,
    _firmware,
    _disks,
    _cdroms,
    _written_images,
    networks,
    _usb,
    _unique,
    _display,
    viewer,
)
