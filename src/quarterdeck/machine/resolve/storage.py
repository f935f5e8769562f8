"""Decides disks and optical drives: what each is made from, where it is plugged in, and what boots first."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.core.arch import Bus
from quarterdeck.core.images import ImageFile
from quarterdeck.core.size import format_size
from quarterdeck.errors import UsageError
from quarterdeck.machine.check import UNCACHED
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import DiskOrigin, ResolvedCdrom, ResolvedDisk
from quarterdeck.machine.spec import Aio, BootFirst, CdromSpec, DiskBus, DiskFormat, DiskSpec
from quarterdeck.provision.kind import Provisioning

DEFAULT_SIZE = 20 << 30
SEED_ID = "seed"
SATA_PORTS = 6
"""Ports of the ICH9 controller, QEMU ``hw/ide/ich.c``."""
_THREADED = frozenset({DiskBus.VIRTIO_BLK, DiskBus.VIRTIO_SCSI})
_ROTATING = frozenset({DiskBus.VIRTIO_SCSI, DiskBus.SATA, DiskBus.IDE})
_LAST_PLACE = 1000
"""Behind all drives."""
_WRITABLE_ONLY = frozenset({DiskBus.SATA, DiskBus.IDE})
_MODELS = {DiskBus.SATA: "ide-hd", DiskBus.IDE: "ide-hd", DiskBus.NVME: "nvme", DiskBus.USB: "usb-storage", DiskBus.VIRTIO_SCSI: "scsi-hd"}
_CDROM_MODELS = {DiskBus.SATA: "ide-cd", DiskBus.IDE: "ide-cd", DiskBus.USB: "usb-bot", DiskBus.VIRTIO_SCSI: "scsi-cd"}


def disks(ctx: Context) -> tuple[ResolvedDisk, ...]:
    """Return every disk; the first is what ``boot`` named, or new.

    Raises:
        UsageError: a disk cannot be as the spec wants it; the message names it.
    """
    specs = ctx.spec.disks or _implied(ctx)
    if specs and not ctx.board.disks:
        raise UsageError("no-disk-bus", f"machine type '{ctx.machine_type}' has no bus that disks can be attached to")
    return tuple(_disk(ctx, index, disk) for index, disk in enumerate(specs))


def _implied(ctx: Context) -> tuple[DiskSpec, ...]:
    only_kernel = ctx.assets.kernel is not None and ctx.assets.boot_disk is None and ctx.assets.boot_iso is None
    return () if only_kernel else (DiskSpec(),)


def _disk(ctx: Context, index: int, disk: DiskSpec) -> ResolvedDisk:
    base = _base(ctx, index, disk)
    origin = _origin(disk, base)
    bus = _bus(ctx, index, disk)
    kind = "qcow2" if origin is DiskOrigin.OVERLAY else base.format if base else str(disk.format)
    suffix = "raw" if kind == DiskFormat.RAW else "qcow2"
    path = base.path if base and origin is DiskOrigin.IN_PLACE else str(ctx.layout.disk(index, suffix))
    size = _size(ctx, index, disk)
    ctx.note(f"disk{index}", f"{origin}, {format_size(size)}, {bus}", _why_disk(origin, base))
    return ResolvedDisk(
        id=f"disk{index}",
        path=path,
        format=kind,
        origin=origin,
        size=size,
        base=base if origin is DiskOrigin.OVERLAY else None,
        bus=bus,
        cache=disk.cache,
        aio=_aio(disk),
        io_thread=_io_thread(ctx, index, disk, bus),
        discard=disk.discard,
        read_only=disk.read_only,
        serial=disk.serial or f"disk{index}",
        boot_index=_boot_place(ctx, disk=True) if index == 0 else 0,
        device=base is not None and base.device and origin is DiskOrigin.IN_PLACE,
        rotation=_rotation(ctx, index, disk, bus),
        preallocate=disk.preallocate and _is_new(ctx, index, "preallocate", origin),
        format_options=disk.format_options if disk.format_options and _is_new(ctx, index, "format_options", origin) else (),
    )


def _is_new(ctx: Context, index: int, field: str, origin: DiskOrigin) -> bool:
    if origin is not DiskOrigin.BLANK:
        ctx.note(f"disk{index} {field}", "no", "the disk is not a new, empty one")
    return origin is DiskOrigin.BLANK


def _rotation(ctx: Context, index: int, disk: DiskSpec, bus: DiskBus) -> int | None:
    if disk.rotation is not None and bus not in _ROTATING:
        ctx.note(f"disk{index} rotation", "no", f"'{bus}' disks tell no rotation rate")
        return None
    return disk.rotation


def _boot_place(ctx: Context, *, disk: bool) -> int:
    """Return QEMU's ``bootindex`` of the first disk or of the first drive; further drives follow theirs."""
    if ctx.spec.boot_first is BootFirst.CDROM:
        return _LAST_PLACE if disk else 1
    return 1 if disk else 2


def _base(ctx: Context, index: int, disk: DiskSpec) -> ImageFile | None:
    boots = ctx.assets.boot_disk if index == 0 else None
    if boots is not None and disk.image is not None:
        raise UsageError(
            "two-images", "disks[0] has an 'image', and 'boot' names a disk too", hint="remove one of them, or make the image a second disk"
        )
    return ctx.assets.image(disk.image) if disk.image is not None else boots


def _origin(disk: DiskSpec, base: ImageFile | None) -> DiskOrigin:
    if base is None:
        return DiskOrigin.BLANK
    return DiskOrigin.IN_PLACE if disk.in_place or disk.read_only else DiskOrigin.OVERLAY


def _why_disk(origin: DiskOrigin, base: ImageFile | None) -> str:
    match origin:
        case DiskOrigin.OVERLAY:
            return f"{base.path if base else ''} stays as it is; changes go to the overlay"
        case DiskOrigin.IN_PLACE if base is not None and base.device:
            return "the block device itself is used, and nobody else may use it meanwhile"
        case DiskOrigin.IN_PLACE:
            return "the image itself is used, as the spec says"
        case DiskOrigin.BLANK:
            return "a new, empty disk"


def _size(ctx: Context, index: int, disk: DiskSpec) -> int:
    """An image that sets itself up at its first boot also grows into the room that it finds; others keep their size."""
    base = _base(ctx, index, disk)
    if base is None:
        return disk.size or max(DEFAULT_SIZE, ctx.assets.least_disk if index == 0 else 0)
    if disk.size is not None and disk.size < base.virtual_size:
        raise UsageError(
            "disk-too-small",
            f"disks[{index}] is to have {format_size(disk.size)}, but its image has {format_size(base.virtual_size)}",
            hint="a disk can only grow: leave 'size' out or make it larger",
        )
    grows = index == 0 and ctx.assets.provisioning not in (None, Provisioning.NONE) and not disk.in_place
    return disk.size or max(base.virtual_size, DEFAULT_SIZE if grows else 0, ctx.assets.least_disk if index == 0 else 0)


def _bus(ctx: Context, index: int, disk: DiskSpec) -> DiskBus:
    bus = disk.bus or DiskBus.VIRTIO_BLK
    problem = bus_problem(ctx, bus, _MODELS.get(bus) or ctx.virtio("virtio-blk"))
    if problem:
        raise UsageError("no-disk-bus", f"disks[{index}] cannot be on '{bus}': {problem}", hint="leave 'bus' out to let it be chosen")
    if disk.read_only and bus in _WRITABLE_ONLY:
        raise UsageError("no-read-only-disk", f"disks[{index}]: '{bus}' disks cannot be read-only", hint="use virtio-blk or virtio-scsi")
    return bus


def bus_problem(ctx: Context, bus: DiskBus, model: str) -> str:
    """Return why nothing can be plugged into ``bus`` on this machine, or an empty text."""
    board, name = ctx.board, f"machine type '{ctx.machine_type}'"
    if bus is DiskBus.IDE and not board.ide_channels and board.known:
        return f"{name} has no IDE controller"
    if bus in {DiskBus.NVME, DiskBus.SATA} and not board.pci:
        return f"{name} has no PCI bus"
    if bus is DiskBus.USB and not board.usb:
        return f"{name} has no USB"
    controller = {DiskBus.VIRTIO_SCSI: ctx.virtio("virtio-scsi"), DiskBus.USB: "qemu-xhci", DiskBus.SATA: "ich9-ahci"}.get(bus)
    missing = next((item for item in (controller, model) if item and not ctx.has(item)), None)
    return f"this QEMU has no {missing}" if missing else ""


def _aio(disk: DiskSpec) -> Aio:
    if disk.aio is not Aio.AUTO:
        return disk.aio
    return Aio.NATIVE if disk.cache in UNCACHED else Aio.THREADS


def _io_thread(ctx: Context, index: int, disk: DiskSpec, bus: DiskBus) -> bool:
    if not disk.io_thread or bus not in _THREADED:
        if disk.io_thread:
            ctx.note(f"disk{index} io_thread", "no", f"'{bus}' cannot be served by a thread of its own")
        return False
    if ctx.board.transport is Bus.MMIO:
        ctx.note(f"disk{index} io_thread", "no", f"the devices of '{ctx.machine_type}' cannot be served by threads of their own")
        return False
    return True


def cdroms(ctx: Context, seed: bool) -> tuple[ResolvedCdrom, ...]:
    """Return every optical drive: what ``boot`` named, those of the spec, and last the seed.

    Raises:
        UsageError: a drive cannot be plugged in where the spec wants it.
    """
    drives = list(_drives(ctx))
    if seed:
        image = ImageFile(str(ctx.layout.seed), "raw", 0)
        drives.append(ResolvedCdrom(id=SEED_ID, image=image, bus=_seed_bus(ctx), boot_index=0))
    return tuple(drives)


def _drives(ctx: Context) -> Iterator[ResolvedCdrom]:
    boot_iso = ctx.assets.boot_iso
    specs: list[tuple[CdromSpec, ImageFile | None]] = [(CdromSpec(bus=ctx.spec.boot_bus), boot_iso)] if boot_iso else []
    specs += [(drive, ctx.assets.image(drive.image) if drive.image else None) for drive in ctx.spec.cdroms]
    for index, (drive, image) in enumerate(specs):
        boots = _boot_place(ctx, disk=False) + index if image is not None else 0
        yield ResolvedCdrom(id=f"cdrom{index}", image=image, bus=_cdrom_bus(ctx, index, drive), boot_index=boots)


def _cdrom_bus(ctx: Context, index: int, drive: CdromSpec) -> DiskBus:
    bus = drive.bus or ctx.board.cdrom
    problem = bus_problem(ctx, bus, _CDROM_MODELS[bus])
    if problem or not ctx.board.disks:
        reason = problem or f"machine type '{ctx.machine_type}' has no bus for it"
        raise UsageError("no-disk-bus", f"optical drive {index} cannot be on '{bus}': {reason}", hint="leave 'bus' out to let it be chosen")
    return bus


def _seed_bus(ctx: Context) -> DiskBus:
    """The seed can also be a plain disk: NoCloud looks for the label of the file system only."""
    bus = ctx.board.cdrom
    return DiskBus.VIRTIO_BLK if bus_problem(ctx, bus, _CDROM_MODELS[bus]) else bus


def check_ports(ctx: Context, disks: tuple[ResolvedDisk, ...], cdroms: tuple[ResolvedCdrom, ...]) -> None:
    """Raise UsageError when more devices share a controller than it has places."""
    for bus, places in ((DiskBus.SATA, SATA_PORTS), (DiskBus.IDE, ctx.board.ide_channels * 2)):
        used = sum(disk.bus is bus for disk in disks) + sum(drive.bus is bus for drive in cdroms)
        if used > places and (places or ctx.board.known):
            raise UsageError(
                "too-many-disks", f"{used} disks and drives are on '{bus}', which has {places} places", hint="use virtio-scsi for some"
            )
