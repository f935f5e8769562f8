"""Reads the layers of an image, as streams, and finds the ELF files that remain in it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from quarterdeck.binfmt.elf import HEADER_SIZE
from quarterdeck.build.check.change import Change, What, apply_change, change_of
from quarterdeck.build.check.memory import MOST_CHANGES, KnownLayer, LayerMemory
from quarterdeck.build.check.tree import Tree
from quarterdeck.build.oci.blobs import open_verified
from quarterdeck.build.oci.digest import CHUNK
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.tar import Kind, members
from quarterdeck.build.oci.unpack import unpacked
from quarterdeck.build.oci.words import printable

LARGEST_LAYER = 256 << 30
"""Bytes of a layer when it is unpacked."""

Escape = Callable[[str], None]
"""Is told the name of each member that leads out of the image."""


@dataclass(frozen=True)
class LayerFacts:
    """What a layer turned out to be: how many files it has, and the digest of its unpacked content."""

    files: int
    diff_id: str


class _Counting(io.RawIOBase):
    """Hashes what is read, and stops at more than :data:`LARGEST_LAYER`."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._running = hashlib.sha256()
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = self._stream.read(len(view))
        self._count += len(piece)
        if self._count > LARGEST_LAYER:
            raise BadImageError("layer-too-large", f"it has more than {LARGEST_LAYER} bytes when it is unpacked")
        self._running.update(piece)
        view[: len(piece)] = piece
        return len(piece)

    def finish(self) -> str:
        """Read to the end and return the digest of all."""
        while self.read(CHUNK):
            pass
        return f"sha256:{self._running.hexdigest()}"


def apply_layer(
    tree: Tree, source: ImageSource, layer: Descriptor, *, number: int, escape: Escape, memory: LayerMemory | None = None
) -> LayerFacts:
    """Apply layer ``number``, counted from 0, to the tree; one that ``memory`` knows is proved by its digest, but not unpacked again.

    Raises:
        BadImageError: it is missing, damaged, hostile, or another one than its descriptor says.
        HostError: nothing here unpacks it.
    """
    known = memory.find(layer.digest) if memory is not None else None
    if known is None:
        return _read(tree, source, layer, number=number, escape=escape, memory=memory)
    with open_verified(source.blobs, layer) as packed:
        packed.drain()
    for change in known.changes:
        _apply(tree, change, number=number, escape=escape)
    return LayerFacts(known.files, known.diff_id)


def _read(tree: Tree, source: ImageSource, layer: Descriptor, *, number: int, escape: Escape, memory: LayerMemory | None) -> LayerFacts:
    count = 0
    kept: list[Change] = []
    with open_verified(source.blobs, layer) as packed:
        with unpacked(packed) as plain:  # type: ignore[arg-type]
            counting = _Counting(plain)
            for member in members(io.BufferedReader(counting, CHUNK), head=HEADER_SIZE):
                count += member.kind is Kind.FILE
                change = change_of(member)
                if change is not None:
                    _apply(tree, change, number=number, escape=escape)
                    if memory is not None and len(kept) <= MOST_CHANGES:
                        kept.append(change)
            diff_id = counting.finish()
        packed.drain()
    if memory is not None and len(kept) <= MOST_CHANGES:
        memory.keep(layer.digest, KnownLayer(count, diff_id, tuple(kept)))
    return LayerFacts(count, diff_id)


def _apply(tree: Tree, change: Change, *, number: int, escape: Escape) -> None:
    if change.what is What.ESCAPE:
        escape(printable(change.path))
    else:
        apply_change(tree, change, number=number)
