"""What a local file is, told by its content: the name says nothing and a hostile header may say anything.

Magic numbers: QEMU's ``block/*.c`` probe functions (7.2 and 10.0), docs/interop/qcow2.txt, ECMA-119 for ISO 9660.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from quarterdeck.errors import MediaError

_ISO_MAGIC_OFFSET = 32769


class ImageFormat(StrEnum):
    """The format of an image file. Except for ``iso``, the value is QEMU's name of the driver."""

    QCOW2 = "qcow2"
    QCOW = "qcow"
    QED = "qed"
    VMDK = "vmdk"
    VDI = "vdi"
    VHDX = "vhdx"
    VPC = "vpc"
    PARALLELS = "parallels"
    DMG = "dmg"
    ISO = "iso"
    RAW = "raw"

    @property
    def driver(self) -> str:
        """QEMU's name for it: an ISO image is read as raw."""
        return "raw" if self is ImageFormat.ISO else self.value


_MAGICS = (
    (0, b"QFI\xfb\x00\x00\x00\x01", ImageFormat.QCOW),
    (0, b"QFI\xfb", ImageFormat.QCOW2),
    (0, b"QED\x00", ImageFormat.QED),
    (0, b"KDMV", ImageFormat.VMDK),
    (0, b"COWD", ImageFormat.VMDK),
    (0, b"vhdxfile", ImageFormat.VHDX),
    (0, b"conectix", ImageFormat.VPC),
    (0, b"WithoutFreeSpace", ImageFormat.PARALLELS),
    (0, b"WithouFreSpacExt", ImageFormat.PARALLELS),
    (64, b"\x7f\x10\xda\xbe", ImageFormat.VDI),
)

_PACKED = (
    (0, b"\x1f\x8b", "gzip", "gunzip"),
    (0, b"\xfd7zXZ\x00", "xz", "unxz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (0, b"BZh", "bzip2", "bunzip2"),
    (0, b"\x04\x22\x4d\x18", "lz4", "unlz4"),
    (0, b"PK\x03\x04", "zip", "unzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "7z x"),
    (0, b"Rar!\x1a\x07", "rar", "bsdtar -xf"),
    (257, b"ustar", "tar", "tar -xf"),
)


def open_image(path: Path) -> BinaryIO:
    """Open the image at ``path`` for reading; block devices count as files.

    Raises:
        MediaError: it is missing, a folder, something else that is no file, or not readable.
    """
    try:
        # A FIFO would block for ever without O_NONBLOCK.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # a NUL byte
        raise MediaError("image-missing", f"{str(path)!r} cannot be the name of a file") from error
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise MediaError("image-is-folder", f"{path} is a folder", hint="name the image file inside it")
    raise MediaError("image-not-a-file", f"{path} is not a file", hint="name an image file or a block device")


def detect_format(path: Path) -> ImageFormat:
    """Return the format of the image at ``path``; what nothing else claims is ``raw``.

    Raises:
        MediaError: it cannot be read, is empty or compressed, or is no whole number of sectors.
    """
    with open_image(path) as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise MediaError("image-empty", f"{path} is empty", hint="was a download or a copy interrupted?")
        head = read_at(file, 0, _ISO_MAGIC_OFFSET + 5)
        return _claimed(file, head, size) or _raw(path, head, size)


def recognise(head: bytes) -> ImageFormat | None:
    """Return the format that the first bytes of an image claim, None when they claim none; 33 KiB are enough for all of them.

    A fixed VHD and a DMG only show at their end, and a raw disk claims nothing.
    """
    for offset, magic, kind in _MAGICS:
        if head.startswith(magic, offset):
            return kind
    if head[:512].lstrip().startswith(b"# Disk DescriptorFile"):
        return ImageFormat.VMDK
    return ImageFormat.ISO if head.startswith(b"CD001", _ISO_MAGIC_OFFSET) else None


def read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return up to ``size`` bytes at ``offset``; fewer past the end, none where ``offset`` makes no sense."""
    if not 0 <= offset < 1 << 62:
        return b""
    try:
        file.seek(offset)
        return file.read(size)
    except OSError:
        return b""


def _claimed(file: BinaryIO, head: bytes, size: int) -> ImageFormat | None:
    if (kind := recognise(head)) is not None:
        return kind
    if size >= 512 and read_at(file, size - 512, 512).startswith(b"conectix"):
        return ImageFormat.VPC
    if size >= 512 and read_at(file, size - 512, 512).startswith(b"koly"):
        return ImageFormat.DMG
    return None


def _raw(path: Path, head: bytes, size: int) -> ImageFormat:
    for offset, magic, name, command in _PACKED:
        if head.startswith(magic, offset):
            raise MediaError("image-compressed", f"{path} is compressed ({name})", hint=f"unpack it first: {command} {path}")
    if size < 512:
        reason = f"it has {size} bytes, less than one sector"
        raise MediaError("image-not-a-disk", f"{path} is not a disk image", reason=reason, hint="fetch or copy it again")
    return ImageFormat.RAW


def _unreadable(path: Path, error: OSError) -> MediaError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MediaError("image-missing", f"there is no file {path}", hint="check the name; a relative one starts at the current folder")
    if error.errno in (errno.EACCES, errno.EPERM):
        return MediaError("image-unreadable", f"{path} cannot be read", reason=error.strerror or "", hint="give your user read access")
    return MediaError("image-unreadable", f"{path} cannot be opened", reason=error.strerror or "")
