"""Images that lie on this host: looked at where they are, or unpacked into the library."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.images import ImageFile
from quarterdeck.core.report import Reporter, silent
from quarterdeck.errors import MediaError
from quarterdeck.media import disk
from quarterdeck.media.boot_media import BootMedia, Fetch
from quarterdeck.media.bootable import HEAD_SIZE, disc_bootable, disk_bootable
from quarterdeck.media.fetch.model import Checksum
from quarterdeck.media.formats import ImageFormat, detect_format, open_image
from quarterdeck.media.library.library import Library, Options

_SMALLEST_SYSTEM = 1 << 20
"""Bytes; a smaller raw file without a boot sector is some other file, such as a text."""


async def resolve_image(path: str | Path) -> ImageFile:
    """Return the disk or ISO image at ``path``.

    Raises:
        MediaError: it cannot be used, or names files elsewhere.
    """
    found = await disk.info(expand(str(path)))
    return ImageFile(str(found.path), found.format.driver, found.virtual_size)


async def boot_file(path: Path, fetch: Fetch, report: Reporter = silent) -> BootMedia:
    """Return the image in the file at ``path``, unpacked into the library if it is packed; the file stays as it is.

    Raises:
        MediaError: it is no image, or not what ``fetch`` says.
        HostError: there is no room to unpack it.
    """
    if fetch.checksum is None and fetch.member is None and not await asyncio.to_thread(_is_packed, path):
        return await local_media(path)
    checksum = None if fetch.checksum is None else Checksum.parse(fetch.checksum)
    image = await Library().obtain_file(path, checksum=checksum, report=report, options=Options(member=fetch.member))
    if image is None:
        return await local_media(path)
    return replace(await local_media(image.disk), origin=f"the {image.format.value} image in {path}")


def _is_packed(path: Path) -> bool:
    try:
        detect_format(path)
    except MediaError as error:
        if error.key == "image-compressed":
            return True
        raise
    return False


async def local_media(path: Path) -> BootMedia:
    """Return the image that the file at ``path`` is.

    Raises:
        MediaError: it cannot be used, or names files elsewhere.
    """
    found = await disk.info(path)
    image = ImageFile(str(found.path), found.format.driver, found.virtual_size)
    if found.format is ImageFormat.ISO:
        boots = disc_bootable(await asyncio.to_thread(_head, found.path))
        return BootMedia(iso=image, uefi=boots.uefi, bios=boots.bios, origin=f"the disc {found.path}")
    boots = disk_bootable(await disk.read_head(found))
    if found.format is ImageFormat.RAW and found.virtual_size < _SMALLEST_SYSTEM and not (boots.uefi or boots.bios):
        raise MediaError(
            "image-not-a-disk",
            f"{found.path} does not look like a disk",
            reason="nothing but a raw disk could look like this, and it has neither a boot sector nor a partition table",
            hint="name a disk or ISO image",
        )
    return BootMedia(disk=image, uefi=boots.uefi, bios=boots.bios, origin=f"the {found.format.value} disk {found.path}")


def _head(path: Path) -> bytes:
    with open_image(path) as file:
        return file.read(HEAD_SIZE)


def expand(text: str) -> Path:
    """Return the path that ``text`` is, the user's home folder filled in."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~nobody-of-that-name
        return Path(text)
