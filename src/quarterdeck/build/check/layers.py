"""Reads the layers of an image, as streams, and finds the ELF files that remain in it."""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from quarterdeck.binfmt.elf import HEADER_SIZE, BadElf, read_header
from quarterdeck.build.check.tree import ElfFile, Tree
from quarterdeck.build.oci.blobs import open_verified
from quarterdeck.build.oci.digest import CHUNK
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.tar import Kind, Member, members
from quarterdeck.build.oci.unpack import unpacked
from quarterdeck.build.oci.words import printable

_ELF = b"\x7fELF"
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_AUFS = ".wh..wh."
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


def apply_layer(tree: Tree, source: ImageSource, layer: Descriptor, *, number: int, escape: Escape) -> LayerFacts:
    """Apply layer ``number``, counted from 0, to the tree.

    Raises:
        BadImageError: it is missing, damaged, hostile, or another one than its descriptor says.
        HostError: nothing here unpacks it.
    """
    count = 0
    with open_verified(source.blobs, layer) as packed:
        with unpacked(packed) as plain:  # type: ignore[arg-type]
            counting = _Counting(plain)
            for member in members(io.BufferedReader(counting, CHUNK), head=HEADER_SIZE):
                count += member.kind is Kind.FILE
                _apply(tree, member, number=number, escape=escape)
            diff_id = counting.finish()
        packed.drain()
    return LayerFacts(count, diff_id)


def _apply(tree: Tree, member: Member, *, number: int, escape: Escape) -> None:
    path = _path(member.name)
    if path is None:
        escape(printable(member.name[:300]))
        return
    folder, name = posixpath.split(path)
    if name.startswith(_WHITEOUT):
        _white_out(tree, folder, name, number=number)
        return
    if member.kind is Kind.FOLDER:
        tree.folder(path)
        return
    _put(tree, path, member, number=number, escape=escape)


def _put(tree: Tree, path: str, member: Member, *, number: int, escape: Escape) -> None:
    """Put what is neither folder nor whiteout into the tree."""
    file: ElfFile | None = None
    if member.kind is Kind.FILE and member.head.startswith(_ELF):
        file = _elf(member.head, number)
    elif member.kind is Kind.HARD_LINK:
        target = _path(member.target)
        if target is None:
            escape(printable(f"{member.name} -> {member.target}"[:300]))
            return
        found = tree.get(target)
        file = None if found is None else ElfFile(found.header, number)
    if file is not None:
        tree.put(path, file)
    elif member.kind is Kind.SYMLINK:
        tree.link(path, member.target, layer=number)
    else:
        tree.remove(path)


def _white_out(tree: Tree, folder: str, name: str, *, number: int) -> None:
    if name == _OPAQUE:
        tree.white_out(folder, layer=number, only_inside=True)
    elif not name.startswith(_AUFS):  # other marks of aufs mean nothing here
        victim = name.removeprefix(_WHITEOUT)
        if victim not in ("", ".", ".."):
            tree.white_out(posixpath.join(folder, victim), layer=number)


def _elf(head: bytes, number: int) -> ElfFile:
    try:
        return ElfFile(read_header(head), number)
    except BadElf as error:
        return ElfFile(error.reason, number)


def _path(name: str) -> str | None:
    """Return a member's path from the image's root, None when it leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)
