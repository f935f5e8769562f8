"""Disks and optical drives: the chain of files below each, its controller, and the device itself."""

from __future__ import annotations

from quarterdeck.core.images import ImageFile
from quarterdeck.machine.boards import Board
from quarterdeck.machine.devices.address import DISK, SATA, SCSI, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Files, Options, Part, blockdev, device
from quarterdeck.machine.devices.usb import CONTROLLER as USB_CONTROLLER
from quarterdeck.machine.options import json_argument
from quarterdeck.machine.resolved import ResolvedCdrom, ResolvedDisk, ResolvedMachine
from quarterdeck.machine.spec import Cache, DiskBus

_SCSI_ID = "scsi0"
_SATA_ID = "sata0"
_DIRECT = frozenset({Cache.NONE, Cache.DIRECTSYNC})
_WRITE_THROUGH = frozenset({Cache.WRITETHROUGH, Cache.DIRECTSYNC})


def storage(machine: ResolvedMachine, files: Files) -> Part:
    """Return all disks and drives with their controllers and threads."""
    board = board_of(machine)
    words: list[str] = [*_threads(machine), *_controllers(machine, board)]
    places = _Places(machine, board)
    for disk in machine.disks:
        words += [*_chain(disk, files), *device(_disk_device(disk, places.of(disk.bus)))]
    for drive in machine.cdroms:
        words += _cdrom(drive, files, places)
    return Part(tuple(words))


class _Places:
    """Hands out the places on each bus in order: disks first, then drives."""

    def __init__(self, machine: ResolvedMachine, board: Board) -> None:
        self._board = board
        self._count = sum(disk.bus in {DiskBus.VIRTIO_BLK, DiskBus.NVME} for disk in machine.disks)
        self._count += sum(drive.bus is DiskBus.VIRTIO_BLK for drive in machine.cdroms)
        self._used: dict[str, int] = {}

    def of(self, bus: DiskBus) -> Options:
        """Return the device model and where the next device on ``bus`` goes."""
        slotted = bus in {DiskBus.VIRTIO_BLK, DiskBus.NVME}
        key = "slot" if slotted else bus.value
        index = self._used[key] = self._used.get(key, -1) + 1
        match bus:
            case DiskBus.VIRTIO_BLK:
                return {"driver": virtio(self._board, "virtio-blk"), **address(self._board, DISK, index, self._count)}
            case DiskBus.NVME:
                return {"driver": "nvme", **address(self._board, DISK, index, self._count)}
            case DiskBus.VIRTIO_SCSI:
                return {"driver": "scsi-hd", "bus": f"{_SCSI_ID}.0", "scsi-id": index, "lun": 0}
            case DiskBus.SATA:
                return {"driver": "ide-hd", "bus": f"{self._board.sata_bus or _SATA_ID}.{index}"}
            case DiskBus.IDE:
                return {"driver": "ide-hd", "bus": f"ide.{index // 2}", "unit": index % 2}
            case DiskBus.USB:
                return {"driver": "usb-storage", "bus": f"{USB_CONTROLLER}.0"}


def _threads(machine: ResolvedMachine) -> list[str]:
    names = [f"io-{disk.id}" for disk in machine.disks if disk.io_thread and disk.bus is DiskBus.VIRTIO_BLK]
    if _scsi_thread(machine):
        names.append(f"io-{_SCSI_ID}")
    return [word for name in names for word in ("-object", json_argument({"qom-type": "iothread", "id": name}))]


def _scsi_thread(machine: ResolvedMachine) -> bool:
    return any(disk.io_thread and disk.bus is DiskBus.VIRTIO_SCSI for disk in machine.disks)


def _controllers(machine: ResolvedMachine, board: Board) -> list[str]:
    buses = {disk.bus for disk in machine.disks} | {drive.bus for drive in machine.cdroms}
    words: list[str] = []
    if DiskBus.VIRTIO_SCSI in buses:
        thread = f"io-{_SCSI_ID}" if _scsi_thread(machine) else None
        words += device({"driver": virtio(board, "virtio-scsi"), "id": _SCSI_ID, "iothread": thread, **address(board, SCSI)})
    if DiskBus.SATA in buses and not board.sata_bus:
        words += device({"driver": "ich9-ahci", "id": _SATA_ID, **address(board, SATA)})
    return words


def _chain(disk: ResolvedDisk, files: Files) -> list[str]:
    """Return the nodes from the bottom up; every format is named, since a guessed one lets a guest choose it."""
    words: list[str] = []
    backing: str | None = None
    if disk.base is not None:
        backing = f"{disk.id}-base"
        words += _image(backing, disk.base, files)
    words += blockdev({"node-name": f"{disk.id}-file", **_file_options(disk, files)})
    node: Options = {"node-name": disk.id, "driver": disk.format, "file": f"{disk.id}-file", "backing": backing}
    words += blockdev(node | _node_options(disk))
    return words


def _image(node: str, image: ImageFile, files: Files) -> list[str]:
    """Return the nodes of an image and of what it stands on, numbered downwards: a node's name has 31 characters at most (QEMU)."""
    chain = image.chain()
    names = [node, *(f"{node}{depth}" for depth in range(2, len(chain) + 1))]
    words: list[str] = []
    for depth, (name, part) in reversed(list(enumerate(zip(names, chain, strict=True)))):
        backing = names[depth + 1] if part.backing is not None else None
        file = {"driver": "host_device" if part.device else "file", "filename": files.name(part.path, writable=False)}
        words += blockdev({"node-name": f"{name}-file", **file, "read-only": True})
        words += blockdev({"node-name": name, "driver": part.format, "file": f"{name}-file", "backing": backing, "read-only": True})
    return words


def _file_options(disk: ResolvedDisk, files: Files) -> Options:
    opened = files.device if disk.device else files.name
    return {
        "driver": "host_device" if disk.device else "file",
        "filename": opened(disk.path, writable=not disk.read_only),
        "aio": str(disk.aio),
    } | _common(disk)


def _node_options(disk: ResolvedDisk) -> Options:
    zeroes = "unmap" if disk.discard and not disk.read_only else None
    return {"detect-zeroes": zeroes} | _common(disk)


def _common(disk: ResolvedDisk) -> Options:
    """Return what every node of the chain repeats; QEMU passes nothing down to nodes that are defined one by one."""
    return {
        "read-only": disk.read_only,
        "discard": "unmap" if disk.discard else "ignore",
        "cache": {"direct": disk.cache in _DIRECT, "no-flush": disk.cache is Cache.UNSAFE},
    }


def _disk_device(disk: ResolvedDisk, place: Options) -> Options:
    options: Options = {
        **place,
        "id": f"{disk.id}-device",
        "drive": disk.id,
        "serial": disk.serial,
        "bootindex": disk.boot_index or None,
        "write-cache": "off" if disk.cache in _WRITE_THROUGH else "on",
        "rotation_rate": disk.rotation,
    }
    if disk.bus is DiskBus.VIRTIO_BLK and disk.io_thread:
        options["iothread"] = f"io-{disk.id}"
    if disk.bus is not DiskBus.NVME:
        # A full host disk pauses the guest (event BLOCK_IO_ERROR) instead of failing its writes; the NVMe model cannot.
        options |= {"werror": "stop", "rerror": "stop"}
    return options


def _cdrom(drive: ResolvedCdrom, files: Files, places: _Places) -> list[str]:
    words = [] if drive.image is None else _image(drive.id, drive.image, files)
    place = places.of(drive.bus)
    medium = {"drive": None if drive.image is None else drive.id, "bootindex": drive.boot_index or None}
    if drive.bus is DiskBus.USB:
        bridge = f"{drive.id}-usb"
        words += device({"driver": "usb-bot", "id": bridge, "bus": place["bus"]})
        place = {"driver": "scsi-cd", "bus": f"{bridge}.0", "scsi-id": 0, "lun": 0}
    model = {"ide-hd": "ide-cd", "scsi-hd": "scsi-cd"}.get(place["driver"], place["driver"])
    return [*words, *device({**place, "driver": model, "id": f"{drive.id}-device", **medium})]
