"""Sparse members of a tar: data regions in the archive, zeros in between."""

from __future__ import annotations

from quarterdeck.media.packing.failures import damaged
from quarterdeck.media.packing.window import CHUNK, Part

Region = tuple[int, int]
"""Offset in the file and length of a region with data, both in bytes."""

_ZEROS = bytes(CHUNK)
_SECTOR = 512
_REGIONS_MAX = 1 << 20


class Holes:
    """A sparse file of ``size`` bytes, whose ``regions`` stand behind each other in ``part``.

    Raises:
        MediaError: the regions overlap, are out of order, lie outside the file, or are not what the archive holds.
    """

    def __init__(self, part: Part, regions: list[Region], size: int, name: str) -> None:
        self._part = part
        self._size = size
        self._position = 0
        self._regions = [region for region in regions if region[1]]
        self._index = 0
        self._check(name)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        start, end = self._region()
        if self._position < start:
            data = _ZEROS[: min(size, start - self._position, CHUNK)]
        else:
            data = self._part.read(min(size, end - self._position))
        self._position += len(data)
        return data

    def _region(self) -> Region:
        """Return where the region that is next begins and ends; the end of the file is an empty one."""
        while self._index < len(self._regions):
            start, length = self._regions[self._index]
            if self._position < start + length:
                return start, start + length
            self._index += 1
        return self._size, self._size

    def _check(self, name: str) -> None:
        end = 0
        for start, length in self._regions:
            if start < end:
                raise damaged(name, "the data of a sparse member overlaps")
            end = start + length
        if end > self._size or sum(length for _, length in self._regions) != self._part.left:
            raise damaged(name, "the map of a sparse member does not fit its data")


def read_map_text(part: Part, name: str) -> list[Region]:
    """Read the map at the beginning of a member in pax sparse format 1.0: decimal numbers on lines, padded to 512 bytes.

    Raises:
        MediaError: it is damaged.
    """
    numbers: list[int] = []
    pending = b""
    wanted = 1
    while len(numbers) < wanted:
        *lines, pending = (pending + _sector(part, name)).split(b"\n")
        for line in lines:
            if not line.isdigit() or len(line) > 19:
                break
            numbers.append(int(line))
        else:
            wanted = 1 + 2 * numbers[0] if numbers else 1
            if wanted > 2 * _REGIONS_MAX or len(pending) > 19:
                raise damaged(name, "the map of a sparse member is too long")
            continue
        break
    wanted = 1 + 2 * numbers[0] if numbers else 1
    if len(numbers) < wanted:
        raise damaged(name, "the map of a sparse member is unreadable")
    values = numbers[1:wanted]
    return list(zip(values[::2], values[1::2], strict=True))


def _sector(part: Part, name: str) -> bytes:
    data = b""
    while len(data) < _SECTOR:
        more = part.read(_SECTOR - len(data))
        if not more:
            raise damaged(name, "the map of a sparse member is cut off")
        data += more
    return data
