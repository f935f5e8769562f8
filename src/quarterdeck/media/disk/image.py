"""Disk files by qemu-img: looked at with suspicion, made atomically."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.process import ProcessError, run_async
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.bootable import HEAD_SIZE
from quarterdeck.media.formats import ImageFormat, detect_format
from quarterdeck.media.references import check_references

_NEEDED_SPACE = 64 << 20
"""Bytes that must be free where a disk is made: its tables and the guest's first writes."""
_SECTOR = 512


@dataclass(frozen=True)
class DiskInfo:
    """A disk image: absolute path, format, sizes in bytes (as the guest sees it, on this host), and its backing file or None."""

    path: Path
    format: ImageFormat
    virtual_size: int
    actual_size: int
    backing: Path | None


async def info(path: Path, *, trust_references: bool = False) -> DiskInfo:
    """Return what the image at ``path`` is.

    Raises:
        MediaError: it cannot be read, is damaged, or names files outside its own folder and ``trust_references`` is false.
        HostError: qemu-img is not installed.
    """
    image, kind = await asyncio.to_thread(_checked, path, trust_references)
    try:
        done = await run_async(["qemu-img", "info", "--force-share", "--output=json", "-f", kind.driver, image], timeout=60)
        return _parse(image, kind, json.loads(done.stdout))
    except (ProcessError, ValueError, KeyError) as error:
        raise _damaged(image, kind, error) from error


async def read_head(disk: DiskInfo) -> bytes:
    """Return the first bytes of the guest's view of ``disk``, whatever its format; short when they cannot be read."""
    if disk.format.driver == "raw":
        return await asyncio.to_thread(_read_raw_head, disk.path)
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as folder:
        head = Path(folder, "head")
        copy = [
            "qemu-img",
            "dd",
            "-U",
            "-f",
            disk.format.driver,
            "-O",
            "raw",
            f"bs={HEAD_SIZE}",
            "count=1",
            f"if={disk.path}",
            f"of={head}",
        ]
        done = await run_async(copy, timeout=60, check=False)
        return b"" if done.returncode else await asyncio.to_thread(head.read_bytes)


async def create_overlay(path: Path, base: Path, base_format: str, *, size: int | None = None) -> None:
    """Make a qcow2 disk at ``path`` that shows ``base`` and keeps all changes to itself.

    ``size`` is in bytes, by default that of ``base``; it is never smaller. ``base`` must have been checked with :func:`info`.

    Raises:
        MediaError: ``path`` exists already, or qemu-img refused.
        HostError: there is no space, or no qemu-img.
    """
    options = ["-f", "qcow2", "-o", "nocow=on", "-b", str(_absolute(base)), "-F", base_format]
    await _create(path, options, size)


async def create_blank(path: Path, format: str, *, size: int, preallocate: bool = False, options: Sequence[str] = ()) -> None:
    """Make an empty disk of ``size`` bytes at ``path``; ``format`` is ``qcow2`` or ``raw``.

    It takes space only as it is filled, unless ``preallocate``; ``options`` are further ones of qemu-img, each ``KEY=VALUE``.

    Raises: as :func:`create_overlay`.
    """
    if preallocate:
        free = shutil.disk_usage(path.parent).free
        if free < size:
            raise disk_full(path.parent, free, needed=size)
    words = ["nocow=on", *(["preallocation=falloc"] if preallocate else []), *options]
    await _create(path, ["-f", format, "-o", ",".join(words)], size)


async def grow(path: Path, format: str, *, size: int) -> None:
    """Make the disk at ``path`` at least ``size`` bytes; a larger one stays as it is.

    Raises:
        MediaError: qemu-img refused.
    """
    current = await info(path, trust_references=True)
    if current.virtual_size >= size:
        return
    try:
        await run_async(["qemu-img", "resize", "-q", "-f", format, _absolute(path), str(_whole_sectors(size))], timeout=60)
    except ProcessError as error:
        raise MediaError("disk-not-grown", f"the disk {path} cannot be made larger", reason=error.reason) from error


async def _create(path: Path, options: Sequence[str], size: int | None) -> None:
    """Make the file under another name first: a disk that is there is whole.

    ``nocow`` spares btrfs a copy of a copy; qemu-img ignores it on other file systems.
    """
    target = _absolute(path)
    _check_target(target)
    name = _temporary_file(target)
    try:
        words = [] if size is None else [str(_whole_sectors(size))]
        await run_async(["qemu-img", "create", "-q", *options, name, *words], timeout=120)
        os.rename(name, target)
    except ProcessError as error:
        raise MediaError("disk-not-made", f"the disk {target} cannot be made", reason=error.reason, hint=error.hint) from error
    finally:
        _remove(name)


def _absolute(path: Path) -> Path:
    """Never a relative path to qemu-img: ``nbd:x`` would be a protocol, ``-x`` an option."""
    return path.absolute()


def _temporary_file(target: Path) -> str:
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _not_made(target, error) from error
    os.close(handle)
    return name


def _remove(name: str) -> None:
    Path(name).unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise MediaError("disk-exists", f"there is a disk {target} already", hint="an existing disk is never overwritten; remove it first")
    try:
        free = shutil.disk_usage(target.parent).free
    except OSError as error:
        raise _not_made(target, error) from error
    if free < _NEEDED_SPACE:
        raise disk_full(target.parent, free, needed=_NEEDED_SPACE)


def _not_made(target: Path, error: OSError) -> MediaError:
    return MediaError("disk-not-made", f"the disk {target} cannot be made", reason=error.strerror or "")


def disk_full(folder: Path, free: int, *, needed: int) -> HostError:
    """Return the error of a folder with too little free space; sizes in bytes."""
    return HostError(
        "disk-full",
        f"there is too little space in {folder}",
        reason=f"{format_size(free)} are free, {format_size(needed)} are needed",
        hint="make room, or set QUARTERDECK_HOME to a folder on another file system",
    )


def _whole_sectors(size: int) -> int:
    return -(-size // _SECTOR) * _SECTOR


def _checked(path: Path, trust_references: bool) -> tuple[Path, ImageFormat]:
    """Links are followed once, here, so that what is checked is what is used."""
    image = _follow(path)
    kind = detect_format(image)
    if not trust_references:
        check_references(image, kind)
    return image, kind


def _follow(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a NUL byte: opening it says so properly
        return path.absolute()


def _read_raw_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_SIZE)


def _parse(image: Path, kind: ImageFormat, answer: dict[str, Any]) -> DiskInfo:
    backing = answer.get("full-backing-filename") or answer.get("backing-filename")
    return DiskInfo(
        path=image,
        format=kind,
        virtual_size=int(answer["virtual-size"]),
        actual_size=int(answer.get("actual-size", 0)),
        backing=Path(backing) if backing else None,
    )


def _damaged(image: Path, kind: ImageFormat, error: Exception) -> MediaError:
    reason = error.reason if isinstance(error, ProcessError) else "qemu-img gave an answer that makes no sense"
    return MediaError("image-damaged", f"{image} cannot be read as {kind.value}", reason=reason, hint="fetch or copy it again")
