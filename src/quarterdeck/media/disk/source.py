"""The disk that is copied: opened with suspicion, and watched for changes while it is read."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.errors import MediaError
from quarterdeck.media.disk.details import Details, read_details
from quarterdeck.media.disk.image import info
from quarterdeck.media.disk.tool import Tree, file_name
from quarterdeck.media.disk.unpacked import is_packed, unpack
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.formats import detect_format
from quarterdeck.media.references import read_references

_CHAIN_MAX = 32

Mark = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A disk to read. ``name`` is what people know it by, ``tree`` how QEMU opens it, ``driver`` QEMU's name of its format.

    ``files`` are all that it consists of, the first is the image itself. ``ours`` says that we unpacked it and may move it.
    """

    name: str
    tree: Tree
    driver: str
    details: Details
    files: tuple[Path, ...]
    ours: bool = False
    marks: tuple[Mark | None, ...] = field(default=())

    @property
    def size(self) -> int:
        """Bytes as the guest sees it."""
        return self.details.virtual_size

    def file_name(self, size: int | None = None) -> str:
        """Return the file name for qemu-img; only the first ``size`` bytes are to be seen if that is given."""
        if size is None or size >= self.size:
            return file_name(self.tree)
        return file_name({"driver": "raw", "size": size, "file": self.tree})

    def check_unchanged(self) -> None:
        """Make sure that nobody wrote to it meanwhile; that it has vanished does no harm, since it was open.

        Raises:
            MediaError: it was changed: the copy may be of no moment at all.
        """
        for path, before in zip(self.files, self.marks, strict=True):
            now = _mark(path)
            if now is not None and now != before:
                raise MediaError("image-changed", f"{path} was changed while it was read", hint="try again when nothing writes to it")


async def open_source(path: Path, work: Workplace, *, member: str | None, report: Reporter) -> Source:
    """Return the disk at ``path``, unpacked into ``work`` when it is packed; ``member`` names one of several in an archive.

    Raises:
        MediaError: it cannot be read, is encrypted, or names files elsewhere.
    """
    if member is not None or await asyncio.to_thread(is_packed, path):
        unpacked = await unpack(path, work, member=member, report=report)
        return await _open(unpacked, name=str(path), ours=True, report=report)
    return await _open(path, name=str(path), ours=False, report=report)


async def source_of(tree: Tree, files: Sequence[Path], *, name: str, report: Reporter) -> Source:
    """Return the disk that ``tree`` opens, whose references were checked already. Raises: MediaError as :func:`open_source`."""
    details = await read_details(tree, name)
    _check(details, name, report)
    return Source(name=name, tree=tree, driver=tree["driver"], details=details, files=tuple(files), marks=tuple(map(_mark, files)))


def chain_files(path: Path) -> tuple[Path, ...]:
    """Return ``path`` and all files that it stands on; their names were checked already."""
    found, pending = list[Path](), [path]
    while pending and len(found) < _CHAIN_MAX:
        image = pending.pop()
        if image in found:
            continue
        found.append(image)
        references = read_references(image, detect_format(image))
        found += [image.parent / name for name in references.data]
        pending += [image.parent / name for name in (references.backing,) if name]
    return tuple(found)


def open_tree(path: Path, driver: str) -> Tree:
    """Return how QEMU opens the file or block device at ``path``, an absolute path."""
    kind = "host_device" if stat.S_ISBLK(os.stat(path).st_mode) else "file"
    return {"driver": driver, "file": {"driver": kind, "filename": os.fspath(path)}}


async def _open(path: Path, *, name: str, ours: bool, report: Reporter) -> Source:
    found = await info(path)
    driver = found.format.driver
    tree = open_tree(found.path, driver)
    details = await read_details(tree, name)
    _check(details, name, report)
    files = await asyncio.to_thread(chain_files, found.path)
    return Source(name=name, tree=tree, driver=driver, details=details, files=files, ours=ours, marks=tuple(map(_mark, files)))


def _check(details: Details, name: str, report: Reporter) -> None:
    """Refuse what cannot be read, and say what a copy will lack."""
    if details.encryption:
        reason = "a copy needs the key, and Quarterdeck has no way to be given it"
        raise MediaError("image-encrypted", f"{name} is encrypted ({details.encryption})", reason=reason, hint="qemu-img convert --object")
    for what, names in (("snapshots", details.snapshots), ("dirty bitmaps", details.bitmaps)):
        if names:
            report(Message(Level.WARNING, f"{what} of {name} are not copied: {', '.join(names)}"))


def _mark(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
