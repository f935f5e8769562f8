"""Sparse VMDK extents in one pass: monolithic, and stream-optimised with its tables at the beginning or at the end.

Source: VMware's Virtual Disk Format 1.1 (hosted sparse extents; stream-optimized compressed sparse extents) and 5.0 (zeroed grains).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import calcsize, unpack_from

from quarterdeck.media.packing.blocks import BLOCKS_MAX, TABLES_MAX, BlockMap, inflate_grain, make_map
from quarterdeck.media.packing.failures import damaged
from quarterdeck.media.packing.sparse import SparseFile
from quarterdeck.media.packing.window import Window

_SECTOR = 512
_FIELDS = "<4sIIQQQQIQQQB4sH"
_ZEROED_GRAINS = 1 << 2
_COMPRESSED = 1 << 16
_MARKERS = 1 << 17
_AT_END = (1 << 64) - 1
_ZEROED = 1
_END, _TABLE, _DIRECTORY, _FOOTER = range(4)


@dataclass(frozen=True)
class SparseHeader:
    """The header of a sparse extent; sizes and places in sectors of 512 bytes."""

    flags: int
    capacity: int
    grain: int
    entries: int
    directory: int
    overhead: int

    @property
    def compressed(self) -> bool:
        """Whether each grain is a zlib stream behind a marker."""
        return bool(self.flags & _COMPRESSED and self.flags & _MARKERS)

    @property
    def streamed(self) -> bool:
        """Whether the tables come behind the grains that they tell of."""
        return self.compressed and self.directory == _AT_END

    @property
    def grains(self) -> int:
        """How many grains the disk has."""
        return -(-self.capacity // self.grain)


def read_header(head: bytes) -> SparseHeader | None:
    """Return the header that ``head`` begins with, None when this reader does not understand it."""
    if len(head) < calcsize(_FIELDS):
        return None
    fields = unpack_from(_FIELDS, head)
    _, version, flags, capacity, grain, _, _, entries, _, directory, overhead, _, newlines, algorithm = fields
    plausible = 1 <= version <= 3 and 8 <= grain <= 4096 and grain & (grain - 1) == 0 and 1 <= entries <= 4096 and capacity < 1 << 54
    plain = not flags & _COMPRESSED or (flags & _MARKERS and algorithm == 1)
    # A transfer that rewrote line ends has destroyed these four bytes, and everything else.
    if not plausible or not plain or newlines != b"\n \r\n":
        return None
    return SparseHeader(flags, capacity, grain, entries, directory, overhead)


def map_extent(window: Window, header: SparseHeader) -> BlockMap | None:
    """Return the map of an extent whose tables come before its grains; None when they do not, or are too large to hold."""
    end = header.overhead * _SECTOR
    directory = header.directory * _SECTOR
    if header.grains > BLOCKS_MAX or not 0 < directory < end <= TABLES_MAX:
        return None
    tables = window.peek(end)
    count = -(-header.grains // header.entries)
    if len(tables) < end or directory + 4 * count > end:
        return None
    places = unpack_from(f"<{count}I", tables, directory)
    blocks: list[tuple[int, int]] = []
    for index, place in enumerate(places):
        if place and not _add_table(blocks, tables, header, index=index, place=place * _SECTOR):
            return None
    size = header.grain * _SECTOR
    return make_map(header.capacity * _SECTOR, size, blocks, tables=end, compressed=header.compressed)


def _add_table(blocks: list[tuple[int, int]], tables: bytes, header: SparseHeader, *, index: int, place: int) -> bool:
    """Add the grains of table ``index`` at byte ``place``; whether it could be read."""
    first = index * header.entries
    count = min(header.entries, header.grains - first)
    if place + 4 * count > len(tables):
        return False
    size = header.grain * _SECTOR
    for number, sector in enumerate(unpack_from(f"<{count}I", tables, place), first):
        if sector > 1 or (sector == _ZEROED and not header.flags & _ZEROED_GRAINS):
            blocks.append((sector * _SECTOR, number * size))
    return True


class StreamReader:
    """A stream-optimised extent: grains, then the table that tells of them, again and again, then a directory, footer and end mark.

    The tables are held against the grains that came before: a grain that is missing or stands in the wrong place shows.
    """

    def __init__(self, window: Window, header: SparseHeader, out: SparseFile) -> None:
        self._window = window
        self._header = header
        self._out = out
        self._size = header.grain * _SECTOR
        self._start = window.position
        self._grains: dict[int, int] = {}
        self._tables: list[int] = []

    def run(self) -> None:
        """Write the disk.

        Raises:
            MediaError: the file is damaged, cut off, or the disk too large.
            HostError: the file system is full.
        """
        self._window.skip(max(self._header.overhead, 1) * _SECTOR)
        while self._marker():
            pass
        if self._grains:
            raise damaged(self._window.name, "some of its grains are in no table")
        self._out.finish(self._header.capacity * _SECTOR)

    def _marker(self) -> bool:
        """Take a marker and what belongs to it; false at the end mark."""
        sector = (self._window.position - self._start) // _SECTOR
        head = self._window.exactly(_SECTOR)
        value, size, kind = unpack_from("<QII", head)
        if size:
            self._window.put_back(head[12:])
            self._grain(sector, value, size)
            return True
        if kind == _TABLE:
            self._table(value)
        elif kind == _DIRECTORY:
            self._directory(value)
        elif kind == _FOOTER:
            self._window.skip(self._metadata(value))
        elif kind != _END:
            raise damaged(self._window.name, "it has a marker of an unknown kind")
        return bool(kind != _END)

    def _grain(self, sector: int, place: int, size: int) -> None:
        if place % self._header.grain or place >= self._header.capacity:
            raise damaged(self._window.name, "a grain lies outside the disk")
        data = inflate_grain(self._window, size, self._size)
        self._window.skip(-(12 + size) % _SECTOR)
        room = (self._header.capacity - place) * _SECTOR
        self._out.write_at(place * _SECTOR, data[:room])
        self._grains[sector] = place // self._header.grain

    def _metadata(self, sectors: int) -> int:
        """Return the bytes of a table, directory or footer of ``sectors``."""
        if sectors * _SECTOR > TABLES_MAX:
            raise damaged(self._window.name, "one of its tables is too long")
        return sectors * _SECTOR

    def _table(self, sectors: int) -> None:
        self._tables.append((self._window.position - self._start) // _SECTOR)
        data = self._window.exactly(self._metadata(sectors))
        entries = unpack_from(f"<{min(self._header.entries, len(data) // 4)}I", data)
        bases = set()
        for number, sector in enumerate(entries):
            if sector > 1:
                grain = self._grains.pop(sector, None)
                if grain is None:
                    raise damaged(self._window.name, "a table tells of a grain that is not there")
                bases.add(grain - number)
        if len(bases) > 1 or any(base % self._header.entries for base in bases):
            raise damaged(self._window.name, "a grain does not stand where its table says")

    def _directory(self, sectors: int) -> None:
        data = self._window.exactly(self._metadata(sectors))
        if not set(self._tables) <= set(unpack_from(f"<{len(data) // 4}I", data)):
            raise damaged(self._window.name, "its directory does not tell of all its tables")
