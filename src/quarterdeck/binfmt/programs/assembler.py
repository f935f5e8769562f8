"""Bytes with labels: sections that are laid out first and encoded when every label has an address.

Each item knows its size beforehand, so that two passes do: one for the addresses, one for the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where an item stands when it is encoded: its address, and those of all labels."""

    here: int
    addresses: Mapping[str, int]

    def address(self, label: str) -> int:
        """Return the address of ``label``; a missing one is a mistake in a program of ours and raises KeyError."""
        return self.addresses[label]

    def distance(self, label: str) -> int:
        """Return how many bytes after the beginning of this item ``label`` is; negative when before."""
        return self.addresses[label] - self.here


Encoder = Callable[[Place], bytes]


@dataclass(frozen=True)
class _Item:
    offset: int
    size: int
    encode: Encoder


class Section:
    """A piece of a program that is contiguous in memory."""

    def __init__(self) -> None:
        self.size = 0
        self._items: list[_Item] = []
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        """Call the place reached so far ``name``; a name is given once in a program."""
        assert name not in self._labels, name
        self._labels[name] = self.size

    def put(self, content: bytes) -> None:
        """Append bytes that depend on no address."""
        self.put_late(len(content), lambda _: content)

    def put_late(self, size: int, encode: Encoder) -> None:
        """Append ``size`` bytes that ``encode`` makes once all addresses are known."""
        self._items.append(_Item(self.size, size, encode))
        self.size += size

    def align(self, boundary: int) -> None:
        """Append zeros up to a multiple of ``boundary`` bytes, counted from the beginning of the section."""
        self.put(bytes(-self.size % boundary))

    def addresses(self, base: int) -> dict[str, int]:
        """Return the labels' addresses if the section begins at ``base``."""
        return {name: base + offset for name, offset in self._labels.items()}

    def content(self, base: int, addresses: Mapping[str, int]) -> bytes:
        """Return the bytes of the section at ``base``.

        Raises:
            AssertionError: an encoder made another number of bytes than it had announced.
        """
        pieces = []
        for item in self._items:
            piece = item.encode(Place(base + item.offset, addresses))
            assert len(piece) == item.size, (item, piece)
            pieces.append(piece)
        return b"".join(pieces)
