"""What a stream is, told by its first bytes: packed, an image, a part of one, or nothing that boots.

Sources: file system and boot sector layouts as in Linux (ext4, XFS, Btrfs, squashfs, LVM2 headers), the Linux x86 boot protocol.
"""

from __future__ import annotations

import re
from enum import StrEnum
from struct import unpack_from

from quarterdeck.media.formats import ImageFormat, recognise
from quarterdeck.media.packing.codecs import Codec, recognise_codec
from quarterdeck.media.packing.tar import is_tar

HEAD_SIZE = 68 << 10
"""Bytes that are enough to recognise everything; the magic of Btrfs is the last."""

_VMDK_SPARSE = b"KDMV"
_VMDK_TEXT = b"# Disk DescriptorFile"
_TEXT_BYTES = 4096
_FILE_SYSTEMS = ((0x438, b"\x53\xef"), (0, b"XFSB"), (65600, b"_BHRfS_M"), (512, b"LABELONE"), (512, b"EFI PART"), (4096, b"EFI PART"))
_PROGRAMS = (
    b"\x7fELF", b"MZ", b"070701", b"070702", b"070707", b"%PDF", b"\x89PNG", b"!<arch>", b"GIF8", b"\xff\xd8\xff", b"\xed\xab\xee\xdb",
)  # fmt: skip
_MANIFEST = re.compile(rb"\s*(?:SHA1|SHA256|SHA384|SHA512)\s?\([^\n]+\)\s*=\s*[0-9a-fA-F]{40,128}\s")


class Archive(StrEnum):
    """A file with members."""

    TAR = "tar"
    ZIP = "zip"
    SEVEN_ZIP = "7z"
    RAR = "rar"


class Piece(StrEnum):
    """What is neither packed nor an image by itself."""

    DESCRIPTOR = "VMDK descriptor"
    EXTENT = "VMDK extent"
    OVF = "OVF description"
    MANIFEST = "OVF manifest"
    TEXT = "text"
    PROGRAM = "program or document"
    BLOB = "bytes without a known beginning"
    EMPTY = "nothing"


Content = Codec | Archive | ImageFormat | Piece


def recognise_content(head: bytes) -> Content:
    """Return what begins with ``head``, which is :data:`HEAD_SIZE` bytes or all there is.

    ``ImageFormat.RAW`` means that a boot sector, partition table or file system is to be seen.
    """
    if not head:
        return Piece.EMPTY
    return _packed(head) or _image(head) or _piece(head)


def _packed(head: bytes) -> Content | None:
    if recognise(head) is not None:
        return None
    if head.startswith(b"PK\x03\x04"):
        return Archive.ZIP
    if head.startswith(b"7z\xbc\xaf\x27\x1c"):
        return Archive.SEVEN_ZIP
    if head.startswith(b"Rar!\x1a\x07"):
        return Archive.RAR
    return Archive.TAR if is_tar(head) else recognise_codec(head)


def _image(head: bytes) -> Content | None:
    claimed = recognise(head)
    if claimed is ImageFormat.VMDK:
        return _vmdk(head)
    if claimed is None and _is_disk(head):
        return ImageFormat.RAW
    return claimed


def _vmdk(head: bytes) -> Content:
    """A descriptor alone names its extents; a sparse extent without a descriptor inside belongs to one outside."""
    if not head.startswith((_VMDK_SPARSE, b"COWD")):
        return Piece.DESCRIPTOR
    if head.startswith(b"COWD"):
        return Piece.EXTENT
    offset = int.from_bytes(head[28:36], "little") * 512
    # Without a descriptor VMware writes 0 here, and QEMU a place that is empty.
    inside = offset and (offset >= len(head) or _VMDK_TEXT in head[offset : offset + 1024])
    return ImageFormat.VMDK if inside else Piece.EXTENT


def _is_disk(head: bytes) -> bool:
    if any(head.startswith(magic, offset) for offset, magic in _FILE_SYSTEMS):
        return True
    if len(head) < 512 or head[510:512] != b"\x55\xaa":
        return False
    # A Linux kernel has a boot sector as well: its header begins right behind it.
    return not head.startswith(b"HdrS", 0x202) and not head.startswith(b"MZ") and _boot_sector_plausible(head)


def _boot_sector_plausible(head: bytes) -> bool:
    """The jump of a FAT or NTFS boot sector, or four partitions whose flags are right and of which one is used."""
    entries = [unpack_from("<B3xB3xII", head, 446 + 16 * index) for index in range(4)]
    table = all(status in (0, 0x80) for status, *_ in entries) and any(kind and sectors for _, kind, _, sectors in entries)
    return table or head[0] in (0xEB, 0xE9)


def _piece(head: bytes) -> Content:
    if head.startswith(_PROGRAMS) or head.startswith(b"HdrS", 0x202):
        return Piece.PROGRAM
    if not _is_text(head[:_TEXT_BYTES]):
        return Piece.BLOB
    if b"<Envelope" in head or b":Envelope" in head:
        return Piece.OVF
    return Piece.MANIFEST if _MANIFEST.match(head) else Piece.TEXT


def _is_text(start: bytes) -> bool:
    if b"\x00" in start:
        return start.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16, as Windows writes it
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in start)
    try:
        start[:-3].decode()
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 8
    return not controls
