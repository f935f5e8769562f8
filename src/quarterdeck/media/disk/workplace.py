"""Where disks are made before they appear: a folder beside the target, that is recognised when its maker was killed."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.fs import sync_directory, sync_file
from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, MediaError

_PREFIX, _SUFFIX = ".quarterdeck-", ".work"
_NAME = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}" + re.escape(_SUFFIX))
_RESERVE = 16 << 20
"""Bytes that are left to the rest of the host."""


@dataclass(frozen=True)
class Workplace:
    """A folder of our own on the file system of the target. ``lock`` is held as long as anybody works in it.

    It is None on file systems that have no locks; then nobody removes what is in it but us.
    """

    folder: Path
    lock: int | None

    def new(self, target: Path) -> Path:
        """Return where to make ``target``: under its own name, which some formats write into the disk (VMDK)."""
        folder = self.folder / "made"
        folder.mkdir(exist_ok=True)
        return folder / target.name

    def publish(self, made: Path, target: Path, *, force: bool) -> None:
        """Give ``made`` its final name, after its bytes are on the disk; with ``force`` in the place of what is there.

        Raises:
            MediaError: there is something now, and ``force`` is false.
            HostError: the file system failed.
        """
        try:
            sync_file(made)
            if force:
                os.replace(made, target)
            else:
                _rename_new(made, target)
            sync_directory(target.parent)
        except OSError as error:
            raise not_written(target, error) from error

    def room(self) -> int:
        """Return how many bytes fit, without what is left to the rest of the host."""
        status = os.statvfs(self.folder)
        return max(status.f_bavail * status.f_frsize - _RESERVE, 0)

    def check_room(self, needed: int) -> None:
        """Make sure that ``needed`` more bytes fit.

        Raises:
            HostError: they do not.
        """
        room = self.room()
        if needed > room:
            reason = f"{format_size(needed)} are needed, {format_size(room)} are free"
            raise HostError("disk-full", f"{self.folder.parent} has too little space", reason=reason, hint="make room, or write elsewhere")


@contextmanager
def workplace(target: Path, report: Reporter) -> Iterator[Workplace]:
    """Make a workplace for ``target``, an absolute path; it is gone after the block. What killed runs left there is removed first.

    Raises:
        HostError: the folder is missing or cannot be written.
    """
    sweep(target.parent, report)
    try:
        place = _make(target.parent)
    except OSError as error:
        raise not_written(target, error) from error
    try:
        yield place
    finally:
        shutil.rmtree(place.folder, ignore_errors=True)
        if place.lock is not None:
            os.close(place.lock)


def sweep(folder: Path, report: Reporter) -> None:
    """Remove and tell what killed runs left in ``folder``; what somebody works in stays."""
    try:
        found = [Path(entry.path) for entry in os.scandir(folder) if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)]
    except OSError:
        return  # whoever writes there will say it
    for left in sorted(found):
        with suppress(OSError):
            _sweep_one(left, report)


def check_target(target: Path, *, force: bool) -> Path:
    """Return ``target`` as an absolute path; refuse an existing file without ``force``, a folder or a device with it.

    Raises:
        MediaError: as said.
        HostError: its folder is missing.
    """
    target = target.absolute()
    if not target.parent.is_dir():
        raise HostError("folder-missing", f"there is no folder {target.parent}", hint="make it first")
    if not os.path.lexists(target):
        return target
    if not target.is_symlink() and not target.is_file():
        raise MediaError("target-not-a-file", f"{target} is not a file", hint="name a new file")
    if not force:
        raise _exists(target)
    return target


def not_written(target: Path, error: OSError) -> HostError:
    """Return the error of a file system that refused ``target``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HostError("disk-full", f"{target} cannot be written", reason="the file system is full", hint="make room and try again")
    return HostError("not-writable", f"{target} cannot be written", reason=error.strerror or str(error))


def _make(parent: Path) -> Workplace:
    """Another run may take a new folder for a leftover until it is locked; then there is another one."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX, suffix=_SUFFIX))
        try:
            lock = _lock(folder)
        except (FileNotFoundError, BlockingIOError):
            continue
        return Workplace(folder, lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder; None where the file system cannot (NFS and some FUSE), FileNotFoundError when it was removed meanwhile."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(handle), os.lstat(folder)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    except (FileNotFoundError, BlockingIOError):
        os.close(handle)
        raise
    except OSError:
        os.close(handle)
        return None
    return handle


def _sweep_one(left: Path, report: Reporter) -> None:
    if left.lstat().st_uid != os.geteuid():
        return
    lock = _lock(left)
    if lock is None:
        report(Message(Level.WARNING, f"an interrupted run may have left {left}; remove it when nothing works there"))
        return
    try:
        size = sum(path.lstat().st_blocks * 512 for path in left.rglob("*") if not path.is_dir())
        shutil.rmtree(left)
    finally:
        os.close(lock)
    report(Message(Level.WARNING, f"removed what an interrupted run left: {left} ({format_size(size)})"))


def _rename_new(made: Path, target: Path) -> None:
    """A second name, that link(2) makes only where nothing is; the first goes with the workplace."""
    try:
        os.link(made, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # FAT and some network file systems have no hard links
        if os.path.lexists(target):
            raise _exists(target) from None
        os.rename(made, target)


def _exists(target: Path) -> MediaError:
    return MediaError("disk-exists", f"there is a file {target} already", hint="--force replaces it")
