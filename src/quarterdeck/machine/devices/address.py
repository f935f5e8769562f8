"""Where devices are plugged in: the same device always at the same place, so that guests keep its name.

Each kind of device has slots of its own, so that a second disk does not move the network card (guests name cards
by their slot). When a kind has more devices than slots, the further ones become functions of the first ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.core.arch import Bus
from quarterdeck.errors import UsageError
from quarterdeck.machine.boards import Board

_FUNCTIONS = 8


@dataclass(frozen=True)
class Zone:
    """The slots of one kind of device: PCI slots ``first`` to ``first + width - 1``, and CCW device numbers beginning with ``first``."""

    name: str
    first: int
    width: int = 1


# Slot 0 is the host bridge; 1 is the ISA bridge of i440FX; 0x1f is the one of ICH9.
DISPLAY = Zone("screens", 0x02)
USB = Zone("USB controllers", 0x03)
SERIAL = Zone("virtio-serial controllers", 0x04)
RNG = Zone("random number generators", 0x05)
BALLOON = Zone("balloons", 0x06)
PANIC = Zone("panic devices", 0x07)
SCSI = Zone("SCSI controllers", 0x08)
SATA = Zone("SATA controllers", 0x09)
NETWORK = Zone("network cards", 0x0A, 6)
DISK = Zone("disks", 0x10, 11)
SHARE = Zone("shared folders", 0x1B, 3)
INPUT = Zone("input devices", 0x1E)


def address(board: Board, zone: Zone, index: int = 0, count: int = 1) -> dict[str, Any]:
    """Return the properties that plug device ``index`` of ``count`` into its place.

    Raises:
        UsageError: there are more devices of this kind than places.
    """
    if board.transport is Bus.CCW:
        return {"devno": f"fe.0.{(zone.first << 8) + index:04x}"}
    if not board.pci:
        return {}
    if not board.fixed_slots:
        return {"bus": (board.other_pci_bus if zone is SERIAL else "") or board.pci_bus or None}
    if index >= zone.width * _FUNCTIONS:
        raise UsageError(
            "no-slot", f"there are only {zone.width * _FUNCTIONS} places for {zone.name}", hint="use fewer, or virtio-scsi for disks"
        )
    function, slot = divmod(index, zone.width)
    shared = True if function == 0 and index + zone.width < count else None
    return {"bus": board.pci_bus, "addr": f"{zone.first + slot:02x}.{function}", "multifunction": shared}


def virtio(board: Board, kind: str) -> str:
    """Return the name of virtio device ``kind`` on ``board``, such as ``virtio-blk-ccw``."""
    return f"{kind}-{board.transport.value}"
