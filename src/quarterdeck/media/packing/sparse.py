"""Files whose zeros take no space."""

from __future__ import annotations

import errno
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.window import CHUNK, Reader, Window
from quarterdeck.media.packing.writeback import begin_writing

_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)
_ZERO_CHUNK = bytes(CHUNK)
_RESERVE = 64 << 20
"""Bytes that stay free on the disk, for everybody else on it."""
_BEHIND = 4
"""Chunks that may wait to be written."""
_FLUSH = 8 << 20
"""Bytes after which the kernel is asked to begin writing, so that little is left to wait for at the end."""


class SparseFile:
    """A new file at ``path`` that stores only what is not zero; use it in a ``with`` block."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._path = path
        self._budget = budget
        self._end = 0
        self._check_space_at = 0
        self._unflushed = 0
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _not_written(path, error) from error

    def write_at(self, offset: int, data: bytes) -> None:
        """Store ``data`` at ``offset`` bytes.

        Raises:
            MediaError: the image grows too large.
            HostError: the disk is full or failed.
        """
        self._end = max(self._end, offset + len(data))
        self._budget.check_size(self._end)
        if len(data) == CHUNK and data == _ZERO_CHUNK:
            return
        start = None
        for position in range(0, len(data), _BLOCK):
            block = data[position : position + _BLOCK]
            if block == (_ZEROS if len(block) == _BLOCK else _ZEROS[: len(block)]):
                if start is not None:
                    self._store(offset + start, memoryview(data)[start:position])
                start = None
            elif start is None:
                start = position
        if start is not None:
            self._store(offset + start, memoryview(data)[start:])

    def copy(self, reader: Window) -> None:
        """Store everything that comes out of ``reader``, from the file's beginning; what comes is written while more is made."""
        offset = 0
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
            while data := reader.fill(CHUNK):
                waiting.append(writer.submit(self.write_at, offset, data))
                offset += len(data)
                if len(waiting) > _BEHIND:
                    waiting.popleft().result()
            for written in waiting:
                written.result()

    def finish(self, size: int | None = None) -> None:
        """Give the file its length, ``size`` bytes or as far as was written, and make it durable.

        Raises:
            MediaError: ``size`` is too large.
            HostError: the disk is full or failed.
        """
        length = self._end if size is None else size
        self._budget.check_size(length)
        try:
            os.ftruncate(self._handle, length)
            os.fsync(self._handle)
        except OSError as error:
            raise _not_written(self._path, error) from error

    def _store(self, offset: int, data: memoryview) -> None:
        size = len(data)
        self._budget.store(size)
        self._check_space(size)
        try:
            while data:
                written = os.pwrite(self._handle, data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise _not_written(self._path, error) from error
        self._begin_writing(size)

    def _begin_writing(self, size: int) -> None:
        self._unflushed += size
        if self._unflushed >= _FLUSH:
            begin_writing(self._handle)
            self._unflushed = 0

    def _check_space(self, size: int) -> None:
        """Look at the free space only now and then: as long as half of what was free last time cannot be used up."""
        self._check_space_at -= size
        if self._check_space_at > 0:
            return
        status = os.fstatvfs(self._handle)
        free = status.f_bavail * status.f_frsize
        if free < _RESERVE + size:
            raise _full(self._path, free)
        self._check_space_at = (free - _RESERVE) // 2

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._handle)


def spill(reader: Reader, path: Path, budget: Budget) -> Path:
    """Store all of ``reader`` in a new file and return its path."""
    with SparseFile(path, budget) as file:
        file.copy(reader if isinstance(reader, Window) else Window(reader, path.name))
        file.finish()
    return path


def _full(path: Path, free: int) -> HostError:
    return HostError(
        "disk-full",
        f"there is too little space in {path.parent}",
        reason=f"{format_size(free)} are free, and the image needs more",
        hint="make room, or set QUARTERDECK_HOME to a folder on another file system",
    )


def _not_written(path: Path, error: OSError) -> HostError | MediaError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(path, 0)
    if error.errno == errno.EFBIG:
        reason = "the file system cannot hold a file of that size"
        return MediaError("image-too-large", f"{path} cannot be written", reason=reason)
    return HostError("not-writable", f"{path} cannot be written", reason=error.strerror or "")
