"""From what a user calls ``boot`` to files on this host."""

from __future__ import annotations

import asyncio
import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.arch import Arch
from quarterdeck.core.report import Reporter, Step, StepStatus, silent
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.media import disk
from quarterdeck.media.bootable import HEAD_SIZE, disc_bootable, disk_bootable
from quarterdeck.media.debian import suites
from quarterdeck.media.debian.bootstrap import debian_image, planned_image
from quarterdeck.media.formats import ImageFormat, open_image
from quarterdeck.media.store import StoredImage

_SMALLEST_SYSTEM = 1 << 20
"""Bytes; a smaller raw file without a boot sector is some other file, such as a text."""


@dataclass(frozen=True)
class Image:
    """A disk or ISO image on this host: absolute path, format as QEMU names it (``iso`` is ``raw``), size in bytes as the guest sees it."""

    path: str
    format: str
    virtual_size: int


@dataclass(frozen=True)
class BootKernel:
    """A kernel that QEMU can load itself: absolute paths and the command line without console arguments."""

    kernel: str
    initrd: str
    cmdline: str


@dataclass(frozen=True, kw_only=True)
class BootMedia:
    """What ``boot`` turned out to be.

    ``disk`` or ``iso`` is the image; both are None when nothing was asked for. ``uefi`` and ``bios`` say how it boots
    (None: it does not say), ``kernel`` is there when it can also boot without firmware.
    ``seed`` is true when it reads a NoCloud seed, ``login`` is then its usual user.
    ``origin`` is one line for people.
    """

    disk: Image | None = None
    iso: Image | None = None
    kernel: BootKernel | None = None
    uefi: bool | None = None
    bios: bool | None = None
    seed: bool = False
    login: str = ""
    origin: str = ""


async def resolve_boot(boot: str | None, arch: Arch, *, report: Reporter = silent, refresh: bool = False, make: bool = True) -> BootMedia:
    """Find, or make, what a machine boots from.

    ``boot`` is ``debian[:SUITE]`` or the path of an image; a file called ``debian`` is written ``./debian``.
    ``refresh`` makes a new Debian image although there is one; without ``make`` none is made, and the files may not be there yet.

    Raises:
        UsageError: neither a name nor a file.
        MediaError: the image cannot be used.
        HostError: this host cannot make the image.
    """
    if boot is None:
        return BootMedia(origin="the machine's own disk")
    name, _, suite = boot.partition(":")
    if name == "debian":
        wanted = suites.find_suite(suite) if suite else None
        stored = await debian_image(wanted, arch, report=report, refresh=refresh) if make else await planned_image(wanted, arch)
        return _debian(stored)
    path = await asyncio.to_thread(_find_file, boot)
    report(Step("image", StepStatus.RUNNING, f"looking at {path}"))
    media = await _local(path)
    report(Step("image", StepStatus.DONE, media.origin))
    return media


async def resolve_image(path: str | Path) -> Image:
    """Return the disk or ISO image at ``path``.

    Raises:
        MediaError: it cannot be used, or names files elsewhere.
    """
    found = await disk.info(_expand(str(path)))
    return Image(str(found.path), found.format.driver, found.virtual_size)


async def _local(path: Path) -> BootMedia:
    found = await disk.info(path)
    image = Image(str(found.path), found.format.driver, found.virtual_size)
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


def _debian(stored: StoredImage) -> BootMedia:
    manifest, folder = stored.manifest, stored.folder
    return BootMedia(
        disk=Image(str(stored.disk), "qcow2", manifest.virtual_size),
        kernel=BootKernel(str(folder / manifest.kernel), str(folder / manifest.initrd), manifest.cmdline),
        uefi=manifest.uefi,
        bios=manifest.bios,
        seed=True,
        login=manifest.login,
        origin=manifest.origin,
    )


def _expand(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~nobody-of-that-name
        return Path(text)


def _find_file(boot: str) -> Path:
    path = _expand(boot)
    try:
        if path.exists() or path.is_symlink():
            return path
    except OSError:  # a name that is too long, or a folder that may not be entered
        return path
    raise UsageError("unknown-boot", f"there is nothing to boot called '{boot}'", reason=_why(path), hint=_suggestion(boot, path))


def _why(path: Path) -> str:
    if path.parent != Path() and not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return "it is neither 'debian[:SUITE]' nor a file"


def _suggestion(boot: str, path: Path) -> str:
    if (suite := suites.known(boot.lower().removeprefix("debian").lstrip(":-/ "))) is not None:
        return f"did you mean 'debian:{suite}'?"
    try:
        files = os.listdir(path.parent)
    except OSError:
        files = []
    close = difflib.get_close_matches(path.name, [*files, *(["debian"] if path.parent == Path() else [])], n=1)
    if close:
        return f"did you mean '{path.parent / close[0]}'?"
    return "write debian, debian:SUITE, or the path of a disk or ISO image"
