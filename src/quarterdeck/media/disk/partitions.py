"""Partition tables, told from the first megabyte of a disk.

Sources: UEFI specification 2.10 section 5.2 (MBR) and 5.3 (GPT); the Discoverable Partitions Specification of the UAPI group.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import Any

from quarterdeck.media.disk.gpt import SIGNATURE, Gpt, read_gpt

_SECTOR = 512
_PROTECTIVE = 0xEE
_MBR_TYPES = {
    0x05: "extended", 0x0F: "extended", 0x07: "NTFS or exFAT", 0x0B: "FAT32", 0x0C: "FAT32", 0x82: "Linux swap", 0x83: "Linux",
    0x8E: "LVM", 0xA5: "FreeBSD", 0xA6: "OpenBSD", 0xA9: "NetBSD", 0xEF: "EFI system", 0xFD: "Linux RAID",
}  # fmt: skip
_GPT_TYPES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
    "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (arm64)",
    "72ec70a6-cf74-40e6-bd49-4bda08e8f224": "Linux root (riscv64)",
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "LVM",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
    "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
    "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD ZFS or UFS",
}


@dataclass(frozen=True)
class Partition:
    """One partition: number from 1, first byte, bytes, type in words, name (GPT only)."""

    number: int
    start: int
    size: int
    type: str
    name: str = ""


@dataclass(frozen=True)
class PartitionTable:
    """A table: ``gpt`` or ``dos``. ``needed`` are the bytes that the disk must have for it; ``flaw`` says in words what is wrong with it.

    Logical partitions lie inside their extended one and are not listed.
    """

    scheme: str
    partitions: tuple[Partition, ...]
    needed: int
    flaw: str = ""
    gpt: Gpt | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {"scheme": self.scheme, "partitions": [vars(one) for one in self.partitions], "needed": self.needed, "flaw": self.flaw}


def read_table(head: bytes, size: int) -> PartitionTable | None:
    """Return the partition table of a disk of ``size`` bytes that begins with ``head``, or None without one."""
    slots = _slots(head)
    if head.startswith(SIGNATURE, 512) or head.startswith(SIGNATURE, 4096):
        return _gpt(head, size)
    if not any(kind and sectors for kind, _, sectors in slots):
        return None
    found = tuple(
        Partition(number, start * _SECTOR, sectors * _SECTOR, _MBR_TYPES.get(kind, f"0x{kind:02x}"))
        for number, (kind, start, sectors) in enumerate(slots, 1)
        if kind and sectors
    )
    needed = max(one.start + one.size for one in found)
    flaw = "a GPT should be here, and is missing" if any(kind == _PROTECTIVE for kind, *_ in slots) else _beyond(needed, size)
    return PartitionTable("dos", found, needed, flaw)


def _slots(head: bytes) -> list[tuple[int, int, int]]:
    """Return type, first sector and sectors of the four slots; none where this is the boot sector of a file system."""
    if len(head) < _SECTOR or head[510:512] != b"\x55\xaa":
        return []
    slots = [struct.unpack_from("<B3xB3xII", head, 446 + 16 * index) for index in range(4)]
    if any(status not in (0, 0x80) for status, *_ in slots):
        return []
    return [(kind, start, sectors) for _, kind, start, sectors in slots]


def _gpt(head: bytes, size: int) -> PartitionTable:
    gpt = read_gpt(head)
    if gpt is None:
        return PartitionTable("gpt", (), 0, "its checksums are wrong")
    found = tuple(Partition(one.number, one.start, one.size, _gpt_type(one.type), one.name) for one in gpt.entries)
    at_end = gpt.backup == size - gpt.sector
    flaw = _beyond(gpt.needed, size) or ("" if at_end else "its copy is not at the end of the disk")
    return PartitionTable("gpt", found, gpt.needed, flaw, gpt)


def _gpt_type(guid: bytes) -> str:
    text = str(uuid.UUID(bytes_le=guid))
    return _GPT_TYPES.get(text, text)


def _beyond(needed: int, size: int) -> str:
    return "it reaches beyond the end of the disk" if needed > size else ""
