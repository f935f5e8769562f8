"""From a source of bytes to a disk in an entry's folder; runs in a thread."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.core.size import format_size
from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.fetch.model import Checksum, new_hash
from quarterdeck.media.fetch.room import check_room
from quarterdeck.media.formats import ImageFormat, open_image
from quarterdeck.media.packing.contents import HEAD_SIZE, Piece, recognise_content
from quarterdeck.media.packing.limits import Budget, Limits
from quarterdeck.media.packing.settle import Settled, finish_image
from quarterdeck.media.packing.source import ByteSource, FileSource
from quarterdeck.media.packing.unpack import Unpacked, unpack_image

_T = TypeVar("_T")
_PIECE = 1 << 20
_STEP_BYTES = 64 << 20
_MOVED = (ImageFormat.QCOW2, ImageFormat.ISO)
_PLAIN = (ImageFormat.QCOW2, ImageFormat.ISO, ImageFormat.RAW)


@dataclass(frozen=True)
class Request:
    """How to unpack: the member that is wanted (None: the only image), limits, and who is told.

    ``result`` is the space in bytes that the image will need, 0 when nobody knows; ``missing`` tells how much is still to be fetched.
    ``stop`` ends the work when it is set.
    """

    member: str | None
    limits: Limits
    report: Reporter
    result: int = 0
    missing: Callable[[], int] = lambda: 0
    stop: threading.Event = field(default_factory=threading.Event)


def take_in(source: ByteSource, folder: Path, request: Request) -> Unpacked:
    """Make the disk in ``folder`` out of a download: unpacked while it comes; an image that is not packed is not copied.

    Raises:
        QuarterdeckError: as :func:`unpack_image`, or the download failed.
    """
    peeked, progress = Peeked(source), _Progress(source, request)
    content = recognise_content(peeked.head)
    if content in _MOVED and request.member is None:
        link = folder / ".whole"
        if _link(source.whole(), link):
            budget = Budget(request.limits, source.name)
            disk, kind = finish_image(Settled(link, source.name, (link,)), folder, budget, watch=progress.converting)
            return Unpacked(disk, kind, ())
    # What is packed becomes no smaller.
    check_room(folder, max(request.result, source.size or 0) + request.missing())
    return _unpack(peeked, folder, request, progress)


def _unpack(source: ByteSource, folder: Path, request: Request, progress: _Progress) -> Unpacked:
    return unpack_image(source, folder, limits=request.limits, member=request.member, progress=progress, converting=progress.converting)


def _link(path: Path, link: Path) -> bool:
    """Give a file a second name; false where that cannot be, as between file systems: then it must be copied."""
    try:
        os.link(path, link, follow_symlinks=False)
    except OSError:
        return False
    return True


async def unpack_file(path: Path, folder: Path, request: Request) -> Unpacked:
    """Make the disk in ``folder`` out of a file of this host; when the caller is cancelled, that ends at once and is waited for.

    Raises:
        QuarterdeckError: as :func:`unpack_image`.
    """
    return await _stoppable(request.stop, lambda: _unpack_file(path, folder, request))


async def _stoppable(stop: threading.Event, work: Callable[[], _T]) -> _T:
    """Do ``work`` in a thread, which is to end when ``stop`` is set: when the caller is cancelled. That is waited for."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    finally:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()


def _unpack_file(path: Path, folder: Path, request: Request) -> Unpacked:
    with FileSource(path) as source:
        return _unpack(source, folder, request, _Progress(source, request))


def is_plain(path: Path) -> bool:
    """Whether the file is an image that can be used where it lies, rather than something packed or to be converted.

    Raises:
        MediaError: it is missing or cannot be read.
    """
    with FileSource(path) as source:
        head = Peeked(source).head
    return recognise_content(head) in (*_PLAIN, Piece.BLOB)


async def hash_file(path: Path, checksum: Checksum | None, report: Reporter) -> tuple[str, str]:
    """Return the SHA-256 of a file, and its checksum by the algorithm of ``checksum`` (empty without one).

    Raises:
        MediaError: it is missing or cannot be read.
    """
    stop = threading.Event()
    return await _stoppable(stop, lambda: _hash_file(path, checksum, report, stop))


def _hash_file(path: Path, checksum: Checksum | None, report: Reporter, stop: threading.Event) -> tuple[str, str]:
    hashes = [hashlib.sha256(), *([new_hash(checksum.algorithm)] if checksum is not None else [])]
    done = 0
    with open_image(path) as file:
        total = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            while not stop.is_set() and (data := file.read(_PIECE)):
                for running in hashes:
                    running.update(data)
                if done // _STEP_BYTES != (done + len(data)) // _STEP_BYTES:
                    report(Step("image", StepStatus.RUNNING, f"reading {path.name}", done, total, "bytes"))
                done += len(data)
        except OSError as error:
            raise MediaError("image-unreadable", f"{path} cannot be read to its end", reason=error.strerror or "") from error
    return hashes[0].hexdigest(), hashes[1].hexdigest() if checksum is not None else ""


class Peeked:
    """A source whose beginning was looked at, and comes again when it is read."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.name = source.name
        head = b""
        while len(head) < HEAD_SIZE and (data := source.read(HEAD_SIZE - len(head))):
            head += data
        self.head = self._pending = head

    @property
    def size(self) -> int | None:
        """Bytes in all, None while nobody knows."""
        return self._source.size

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, at least one, or ``b""`` at the end."""
        if self._pending:
            data, self._pending = self._pending[:size], self._pending[size:]
            return data
        return self._source.read(size)

    def whole(self) -> Path:
        """Return the complete file."""
        return self._source.whole()


class _StoppedError(QuarterdeckError):
    """Nobody wants the image any more."""


class _Progress:
    """Tells how much was unpacked or converted, now and then, and ends the work when it is to stop."""

    def __init__(self, source: ByteSource, request: Request) -> None:
        self._source = source
        self._report = request.report
        self._stop = request.stop
        self._next = 0
        self._percent = -1

    def __call__(self, packed: int, stored: int) -> None:
        self._check()
        if packed < self._next:
            return
        self._next = packed + _STEP_BYTES
        self._report(Step("image", StepStatus.RUNNING, f"unpacked {format_size(stored)}", packed, self._source.size, "bytes"))

    def converting(self, done: int, total: int) -> None:
        """Take how many bytes of the disk qemu-img has written."""
        self._check()
        percent = 100 * done // total if total else 0
        if percent != self._percent:
            self._percent = percent
            self._report(Step("image", StepStatus.RUNNING, "converting to qcow2", done, total, "bytes"))

    def _check(self) -> None:
        if self._stop.is_set():
            raise _StoppedError("stopped", f"unpacking {self._source.name} was stopped")
