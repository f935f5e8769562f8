"""GPT: the table in front, and its copy at the end of the disk, which has to move when the end does.

Source: UEFI specification 2.10, sections 5.3.2 (header) and 5.3.3 (entries).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

SIGNATURE = b"EFI PART"
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_SECTORS = (512, 4096)
_ENTRY_MIN = 128
_ENTRIES_MAX = 1 << 19


@dataclass(frozen=True)
class Entry:
    """A partition: number from 1, first byte, bytes, type (GUID as in the table, 16 bytes), name."""

    number: int
    start: int
    size: int
    type: bytes
    name: str


@dataclass(frozen=True)
class Gpt:
    """A table whose checksums are right. ``sector`` is the size of a block in bytes, ``header`` one block, ``table`` the entries."""

    sector: int
    header: bytes
    table: bytes

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The partitions, by number."""
        size = self._fields[12]
        slots = (self.table[offset : offset + size] for offset in range(0, len(self.table), size))
        return tuple(_entry(number, slot, self.sector) for number, slot in enumerate(slots, 1) if any(slot[:16]))

    @property
    def backup(self) -> int:
        """The byte at which the header of the copy lies."""
        return int(self._fields[6]) * self.sector

    @property
    def needed(self) -> int:
        """Bytes that the disk must have for all partitions and the copy."""
        end = max((entry.start + entry.size for entry in self.entries), default=int(self._fields[7]) * self.sector)
        return end + self._blocks * self.sector + self.sector

    def moved(self, size: int) -> tuple[tuple[int, bytes], ...]:
        """Return what to write, as (byte, bytes) in this order, so that the copy lies at the end of a disk of ``size`` bytes.

        The table in front comes last: until then it names a copy that is still there.
        """
        last = size // self.sector - 1
        start = last - self._blocks
        front = self._header(own=1, other=last, table=int(self._fields[10]), usable=start - 1)
        back = self._header(own=last, other=1, table=start, usable=start - 1)
        padded = self.table.ljust(self._blocks * self.sector, b"\x00")
        return (start * self.sector, padded), (last * self.sector, back), (self.sector, front)

    @property
    def _fields(self) -> tuple[int, ...]:
        return _HEADER.unpack_from(self.header)

    @property
    def _blocks(self) -> int:
        return -(-len(self.table) // self.sector)

    def _header(self, *, own: int, other: int, table: int, usable: int) -> bytes:
        fields = list(self._fields)
        fields[3], fields[5], fields[6], fields[8], fields[10] = 0, own, other, usable, table
        length = fields[2]
        blank = _HEADER.pack(*fields) + self.header[_HEADER.size :]
        fields[3] = zlib.crc32(blank[:length])
        return _HEADER.pack(*fields) + self.header[_HEADER.size :]


def read_gpt(head: bytes) -> Gpt | None:
    """Return the table in ``head``, the first bytes of a disk; None when there is none, or its checksums are wrong."""
    for sector in _SECTORS:
        header = head[sector : 2 * sector]
        if header.startswith(SIGNATURE) and len(header) == sector:
            return _checked(head, header, sector)
    return None


def _checked(head: bytes, header: bytes, sector: int) -> Gpt | None:
    fields = _HEADER.unpack_from(header)
    length, checksum, start, count, size = fields[2], fields[3], fields[10], fields[11], fields[12]
    if not (_HEADER.size <= length <= sector and size >= _ENTRY_MIN and 0 < size * count <= _ENTRIES_MAX):
        return None
    table = head[start * sector : start * sector + size * count]
    blank = header[:16] + bytes(4) + header[20:length]
    if len(table) != size * count or zlib.crc32(blank) != checksum or zlib.crc32(table) != fields[13]:
        return None
    return Gpt(sector, header, table)


def _entry(number: int, slot: bytes, sector: int) -> Entry:
    first, last = struct.unpack_from("<QQ", slot, 32)
    name = slot[56:128].decode("utf-16-le", "replace").partition("\x00")[0]
    return Entry(number, first * sector, (last - first + 1) * sector, slot[:16], name)
