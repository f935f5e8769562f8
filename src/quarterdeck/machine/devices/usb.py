"""The USB controller, keyboard and pointer, and devices of the host."""

from __future__ import annotations

from quarterdeck.machine.devices.address import INPUT, USB, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Options, Part, device
from quarterdeck.machine.resolved import ResolvedMachine, ResolvedUsb
from quarterdeck.machine.spec import DiskBus, DisplayKind

CONTROLLER = "usb0"


def controller(machine: ResolvedMachine) -> Part:
    """Return the USB controller, where something is plugged into it."""
    if not _needed(machine):
        return Part()
    return Part(device({"driver": "qemu-xhci", "id": CONTROLLER, **address(board_of(machine), USB)}))


def _needed(machine: ResolvedMachine) -> bool:
    on_usb = any(disk.bus is DiskBus.USB for disk in machine.disks) or any(drive.bus is DiskBus.USB for drive in machine.cdroms)
    return on_usb or bool(machine.usb) or (machine.display.kind is not DisplayKind.NONE and board_of(machine).usb)


def inputs(machine: ResolvedMachine) -> Part:
    """Return a keyboard, and a tablet: its absolute positions keep the pointer where the viewer's is."""
    if machine.display.kind is DisplayKind.NONE:
        return Part()
    board = board_of(machine)
    if board.usb:
        bus = f"{CONTROLLER}.0"
        # PC boards have a PS/2 keyboard. QEMU gives the keys to the keyboard that was set up last: firmware would take them to
        # a USB one, and systems without USB drivers, such as Debian's kernel for clouds, would hear nothing.
        keyboard = () if board.isa else device({"driver": "usb-kbd", "id": "keyboard0", "bus": bus})
        return Part((*device({"driver": "usb-tablet", "id": "tablet0", "bus": bus}), *keyboard))
    tablet = {"driver": virtio(board, "virtio-tablet"), "id": "tablet0", **address(board, INPUT, 0)}
    virtio_keyboard = {"driver": virtio(board, "virtio-keyboard"), "id": "keyboard0", **address(board, INPUT, 1)}
    return Part((*device(tablet), *device(virtio_keyboard)))


def host_devices(machine: ResolvedMachine) -> Part:
    """Return the USB devices that are handed to the guest."""
    words = [word for index, item in enumerate(machine.usb) for word in device(_host(index, item))]
    return Part(tuple(words))


def _host(index: int, item: ResolvedUsb) -> Options:
    return {
        "driver": "usb-host",
        "id": f"host-usb{index}",
        "bus": f"{CONTROLLER}.0",
        "vendorid": None if item.vendor < 0 else item.vendor,
        "productid": None if item.product < 0 else item.product,
        "hostbus": None if item.bus < 0 else item.bus,
        "hostport": item.port or None,
    }
