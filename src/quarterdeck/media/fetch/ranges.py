"""Which bytes of a file are there: disjoint ranges from ``start`` up to, not including, ``end``."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


class Ranges:
    """A growing set of byte ranges, in order and merged."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges: list[Range] = []
        for start, end in ranges:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Add the bytes from ``start`` to ``end``."""
        if not 0 <= start <= end:
            raise ValueError(f"no range: {start}-{end}")
        if start == end:
            return
        apart = [part for part in self._ranges if part[1] < start or part[0] > end]
        touching = [part for part in self._ranges if part not in apart]
        first = min([start, *(part[0] for part in touching)])
        last = max([end, *(part[1] for part in touching)])
        self._ranges = sorted([*apart, (first, last)])

    def remove(self, start: int, end: int) -> None:
        """Take the bytes from ``start`` to ``end`` out again."""
        kept: list[Range] = []
        for first, last in self._ranges:
            kept += [(first, min(last, start)), (max(first, end), last)]
        self._ranges = [part for part in kept if part[0] < part[1]]

    @property
    def prefix(self) -> int:
        """How many bytes from the first on are there without a gap."""
        return self._ranges[0][1] if self._ranges and self._ranges[0][0] == 0 else 0

    @property
    def count(self) -> int:
        """How many bytes are there."""
        return sum(end - start for start, end in self._ranges)

    @property
    def end(self) -> int:
        """The first byte after the last one."""
        return self._ranges[-1][1] if self._ranges else 0

    def gap(self, limit: int, longest: int) -> Range | None:
        """Return the first bytes below ``limit`` that are not there, at most ``longest``; None when all are."""
        start = 0
        for first, last in [*self._ranges, (limit, limit)]:
            if start < min(first, limit):
                return start, min(first, limit, start + longest)
            start = max(start, last)
        return None

    def as_list(self) -> list[Range]:
        """Return the ranges in order."""
        return list(self._ranges)
