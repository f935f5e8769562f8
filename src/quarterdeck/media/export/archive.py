"""Tar archives without anything that differs from run to run."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from quarterdeck.media.disk.thread import Tick

_BLOCK = 1 << 20
_USTAR_MAX = 8 << 30
"""Members of a ustar archive are smaller: POSIX.1-2017, pax(1), 11 octal digits."""


class Counted:
    """A file that tells how many bytes of it were read."""

    def __init__(self, file: BinaryIO, tick: Tick, *, before: int = 0) -> None:
        self._file = file
        self._tick = tick
        self._done = before

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        data = self._file.read(size)
        self._done += len(data)
        self._tick(self._done)
        return data


class Sink:
    """A file object that gives everything written to ``take``."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self._place = 0

    def write(self, data: bytes) -> int:
        """Take ``data``."""
        self._take(data)
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._place


def member(name: str, size: int, *, mode: int = 0o644, owner: int = 0, folder: bool = False) -> tarfile.TarInfo:
    """Return the header of a member whose user and group are ``owner``, of the beginning of time."""
    made = tarfile.TarInfo(name)
    made.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    made.size, made.mode, made.uid, made.gid = size, mode, owner, owner
    return made


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a small file."""
    tar.addfile(member(name, len(content)), io.BytesIO(content))


def read_whole(path: Path, take: Callable[[bytes], object], tick: Tick, *, before: int = 0) -> None:
    """Give all bytes of the file at ``path`` to ``take``."""
    with path.open("rb") as file:
        counted = Counted(file, tick, before=before)
        while block := counted.read(_BLOCK):
            take(block)


def needs_more_than_ustar(sizes: list[int]) -> bool:
    """Whether a member of one of these sizes in bytes has no place in a ustar archive."""
    return any(size >= _USTAR_MAX for size in sizes)
