"""The USB controller, keyboard and pointer. Devices of the host are plugged in while QEMU runs: ``runtime/hotplug``."""

from __future__ import annotations

from quarterdeck.machine.boards import Board
from quarterdeck.machine.devices.address import INPUT, USB, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.resolved import ResolvedMachine
from quarterdeck.machine.spec import DiskBus, DisplayKind, Pointer

CONTROLLER = "usb0"


def controller(machine: ResolvedMachine) -> Part:
    """Return the USB controller, where something is plugged into it."""
    if not _needed(machine):
        return Part()
    return Part(device({"driver": "qemu-xhci", "id": CONTROLLER, **address(board_of(machine), USB)}))


def _needed(machine: ResolvedMachine) -> bool:
    on_usb = any(disk.bus is DiskBus.USB for disk in machine.disks) or any(drive.bus is DiskBus.USB for drive in machine.cdroms)
    return on_usb or bool(machine.usb) or bool(_input_words(machine) and board_of(machine).usb)


def inputs(machine: ResolvedMachine) -> Part:
    """Return a keyboard, and a tablet: its absolute positions keep the pointer where the viewer's is."""
    return Part(_input_words(machine))


def _input_words(machine: ResolvedMachine) -> tuple[str, ...]:
    if machine.display.kind is DisplayKind.NONE:
        return ()
    board = board_of(machine)
    return (*_pointer(machine, board), *_keyboard(board))


def _pointer(machine: ResolvedMachine, board: Board) -> tuple[str, ...]:
    if machine.display.pointer is Pointer.NONE:
        return ()
    kind = machine.display.pointer.value
    place = {"bus": f"{CONTROLLER}.0"} if board.usb else address(board, INPUT, 0)
    return device({"driver": f"usb-{kind}" if board.usb else virtio(board, f"virtio-{kind}"), "id": f"{kind}0", **place})


def _keyboard(board: Board) -> tuple[str, ...]:
    if board.usb:
        # PC boards have a PS/2 keyboard. QEMU gives the keys to the keyboard that was set up last: firmware would take them to
        # a USB one, and systems without USB drivers, such as Debian's kernel for clouds, would hear nothing.
        return () if board.isa else device({"driver": "usb-kbd", "id": "keyboard0", "bus": f"{CONTROLLER}.0"})
    return device({"driver": virtio(board, "virtio-keyboard"), "id": "keyboard0", **address(board, INPUT, 1)})
