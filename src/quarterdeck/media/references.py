"""Files that an image names inside itself: backing files, external data, extents.

QEMU opens them with its own rights, so an image from somebody else could name any file of this host. They are
read here from the headers, before any program of QEMU sees the image. Sources: docs/interop/qcow2.txt and
docs/interop/qed_spec.txt of QEMU, block/qcow.c, VMware's Virtual Disk Format 1.1.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from quarterdeck.errors import MediaError
from quarterdeck.media.formats import ImageFormat, detect_format, open_image, read_at

_NAME_MAX = 1023
"""Longest name of a backing file that QEMU accepts, docs/interop/qcow2.txt."""
_CHAIN_MAX = 32
_QCOW2_EXTERNAL_DATA = 1 << 2
_QCOW2_DATA_FILE_NAME = 0x44415441
_QED_BACKING_FILE = 1 << 0
_VMDK_EXTENT = re.compile(rb'^\s*(?:RW|RDONLY|NOACCESS)\s+\d+\s+\w+\s+"([^"\n]*)"', re.MULTILINE | re.IGNORECASE)
_VMDK_PARENT = re.compile(rb'^\s*parentFileNameHint\s*=\s*"([^"\n]*)"', re.MULTILINE | re.IGNORECASE)
_VMDK_DESCRIPTOR_MAX = 1 << 20


@dataclass(frozen=True)
class References:
    """Names inside an image, as they stand there: ``backing`` is None without one, ``data`` are files with guest data."""

    backing: str | None = None
    data: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Return every name."""
        return (*([] if self.backing is None else [self.backing]), *self.data)


def read_references(path: Path, format: ImageFormat) -> References:
    """Return what the header of the image at ``path`` names; damaged headers name nothing that QEMU would open either.

    Raises:
        MediaError: the file cannot be read.
    """
    readers = {
        ImageFormat.QCOW2: _qcow2,
        ImageFormat.QCOW: _qcow,
        ImageFormat.QED: _qed,
        ImageFormat.VMDK: _vmdk,
    }
    reader = readers.get(format)
    if reader is None:
        return References()
    with open_image(path) as file:
        return reader(file)


def check_references(path: Path, format: ImageFormat) -> None:
    """Refuse an image that names files outside its own folder, and follow those inside.

    A name is inside when it is a plain file next to the image; symbolic links and protocols (``nbd:``, ``json:``)
    are not. ``path`` is absolute and has no links in it.

    Raises:
        MediaError: the image names something elsewhere, or the chain is damaged.
    """
    seen: set[Path] = set()
    pending = [(path, format)]
    while pending:
        image, image_format = pending.pop()
        if image in seen:
            continue
        seen.add(image)
        if len(seen) > _CHAIN_MAX:
            raise MediaError("image-chain-too-long", f"{path} stands on more than {_CHAIN_MAX} other images")
        references = read_references(image, image_format)
        for name in references.all():
            beside = _beside(image, name)
            if name == references.backing:
                pending.append((beside, detect_format(beside)))


def _beside(image: Path, name: str) -> Path:
    """Return the file next to ``image`` that ``name`` means, or refuse."""
    folder = image.parent
    target = Path(name) if name.startswith("/") else folder / name
    plain = (Path(name).name == name and ":" not in name) or (name.startswith("/") and target.parent.resolve() == folder)
    if plain and not target.is_symlink() and target.is_file():
        return target
    missing = plain and not target.exists() and not target.is_symlink()
    raise MediaError(
        "image-refers-elsewhere",
        f"{image} needs another file: {name!r}",
        reason="it does not exist" if missing else "an image could make QEMU read any file of this host that way",
        hint=_hint(image, name, missing=missing),
    )


def _hint(image: Path, name: str, *, missing: bool) -> str:
    if missing:
        return f"put {Path(name).name} next to {image.name}"
    return f"if you trust it, make a copy that stands alone: qemu-img convert -O qcow2 {image.name} alone.qcow2"


def _text(file: BinaryIO, offset: int, size: int) -> str:
    return read_at(file, offset, min(size, _NAME_MAX)).decode("utf-8", "surrogateescape")


def _qcow2(file: BinaryIO) -> References:
    head = read_at(file, 0, 104)
    if len(head) < 72:
        return References()
    version, backing_offset, backing_size = struct.unpack_from(">IQI", head, 4)
    backing = _text(file, backing_offset, backing_size) if backing_offset and backing_size else None
    if version < 3 or len(head) < 104:
        return References(backing)
    incompatible, header_length = struct.unpack_from(">Q", head, 72)[0], struct.unpack_from(">I", head, 100)[0]
    if not incompatible & _QCOW2_EXTERNAL_DATA:
        return References(backing)
    return References(backing, (_qcow2_data_file(file, header_length) or "(an external data file)",))


def _qcow2_data_file(file: BinaryIO, offset: int) -> str | None:
    """Walk the header extensions, each a type, a length and data padded to 8 bytes, until type 0."""
    for _ in range(64):
        kind, size = struct.unpack(">II", read_at(file, offset, 8).ljust(8, b"\x00"))
        if kind == _QCOW2_DATA_FILE_NAME:
            return _text(file, offset + 8, size)
        if kind == 0:
            return None
        offset += 8 + (size + 7) // 8 * 8
    return None


def _qcow(file: BinaryIO) -> References:
    head = read_at(file, 0, 20)
    if len(head) < 20:
        return References()
    offset, size = struct.unpack_from(">QI", head, 8)
    return References(_text(file, offset, size) if offset and size else None)


def _qed(file: BinaryIO) -> References:
    head = read_at(file, 0, 64)
    if len(head) < 64:
        return References()
    features = struct.unpack_from("<Q", head, 16)[0]
    offset, size = struct.unpack_from("<II", head, 56)
    return References(_text(file, offset, size) if features & _QED_BACKING_FILE else None)


def _vmdk(file: BinaryIO) -> References:
    """The descriptor is the whole file, or lies inside a sparse extent."""
    head = read_at(file, 0, 512)
    alone = head.startswith((b"KDMV", b"COWD"))
    if head.startswith(b"COWD"):
        return References()
    offset, size = (
        (sectors * 512 for sectors in struct.unpack_from("<QQ", head.ljust(512, b"\x00"), 28)) if alone else (0, _VMDK_DESCRIPTOR_MAX)
    )
    text = read_at(file, offset, min(size, _VMDK_DESCRIPTOR_MAX)) if size else b""
    parent = _VMDK_PARENT.search(text)
    # A sparse extent with a capacity is the whole disk: QEMU (block/vmdk.c, vmdk_open_vmdk4) opens no extents that its descriptor names.
    whole = alone and int.from_bytes(head[12:20], "little") != 0
    names = () if whole else tuple(_decode(name) for name in _VMDK_EXTENT.findall(text))
    return References(_decode(parent[1]) if parent else None, names)


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
