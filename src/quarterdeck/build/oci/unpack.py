"""Unpacks gzip and zstd as a stream.

Python has zstd since 3.14 (PEP 784); before that, the program ``zstd`` does it, which every distribution has.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.core.process import find, spawn
from quarterdeck.errors import HostError

HEAD = 4
"""Bytes of a blob that tell how it is packed."""
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_CHUNK = 1 << 18
_GZIP_WINDOW = 31
"""zlib's word for 32 KiB with the header of gzip."""
_WINDOW_LOG = 27
"""128 MiB for zstd's window; what its program allows without --long, and so what layers may ask for."""


class PrefixedReader(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = self._head[: len(view)] or self._stream.read(len(view))
        self._head = self._head[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


class _GzipReader(io.RawIOBase):
    """Unpacks gzip, also of several members, as pigz and eStargz write it; never more at once than is asked for."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._packed = b""
        self._member: Any = zlib.decompressobj(_GZIP_WINDOW)
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while view:
            if not self._packed:
                self._packed = self._stream.read(_CHUNK)
            if not self._packed and not self._begun:
                return 0
            try:
                piece = self._member.decompress(self._packed, len(view))
            except zlib.error as error:
                raise BadImageError("bad-compression", f"gzip: {error}") from None
            self._next(bool(piece))
            if piece:
                view[: len(piece)] = piece
                return len(piece)
        return 0

    def _next(self, progress: bool) -> None:
        """Keep what was not unpacked yet; begin the next member where one ended."""
        if self._member.eof:
            self._packed, self._begun = self._member.unused_data.lstrip(b"\0"), False  # padding to whole blocks
            self._member = zlib.decompressobj(_GZIP_WINDOW)
            return
        if not self._packed and not progress:
            raise BadImageError("bad-compression", "gzip: it is cut short")
        self._packed, self._begun = self._member.unconsumed_tail, True


@contextlib.contextmanager
def unpacked(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give what ``stream`` holds, unpacked when it is gzip or zstd by its first bytes, whatever its media type says.

    Raises:
        BadImageError: from reading, the compression is damaged.
        HostError: it is zstd, and there is nothing that unpacks it.
    """
    head = _read_up_to(stream, HEAD)
    whole = io.BufferedReader(PrefixedReader(head, stream), _CHUNK)
    packed = layer_type(head)
    if packed == media_types.OCI_LAYER_GZIP:
        yield io.BufferedReader(_GzipReader(whole), _CHUNK)
    elif packed == media_types.OCI_LAYER_ZSTD:
        with _zstd(whole) as plain:
            yield plain
    else:
        yield whole


def layer_type(head: bytes) -> str:
    """Return the media type of a layer that begins with these :data:`HEAD` bytes."""
    if head[:2] == _GZIP:
        return media_types.OCI_LAYER_GZIP
    if head == _ZSTD or (head[1:] == _ZSTD_SKIPPABLE and 0x50 <= head[0] <= 0x5F):
        return media_types.OCI_LAYER_ZSTD
    return media_types.OCI_LAYER


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
    content = b""
    while len(content) < size and (piece := stream.read(size - len(content))):
        content += piece
    return content


@contextlib.contextmanager
def _zstd(stream: BinaryIO) -> Iterator[BinaryIO]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        with zstd.open(stream, "rb", options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}) as plain:
            yield io.BufferedReader(_ZstdErrors(plain, zstd.ZstdError), _CHUNK)
    else:
        with _zstd_program(stream) as plain:
            yield plain


class _ZstdErrors(io.RawIOBase):
    """A zstd stream whose errors are ours."""

    def __init__(self, stream: Any, error: type[Exception]) -> None:
        super().__init__()
        self._stream = stream
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        try:
            count: int = self._stream.readinto(buffer)
        except (self._error, EOFError) as error:
            raise BadImageError("bad-compression", f"zstd: {error}") from None
        return count


class _ProgramReader(io.RawIOBase):
    """Reads what a program writes; its end counts only when the program ended well."""

    def __init__(self, pipe: BinaryIO, handle: Any) -> None:
        super().__init__()
        self._pipe = pipe
        self._handle = handle

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        count = self._pipe.readinto(buffer)  # type: ignore[attr-defined]
        if not count:
            self._handle.wait_sync(_PATIENCE)
            if self._handle.returncode != 0:
                raise BadImageError("bad-compression", "zstd: it is damaged, cut short, or needs a larger window than 128 MiB")
        return int(count)


_PATIENCE = 60.0


@contextlib.contextmanager
def _zstd_program(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Unpack by the program; its input goes by way of a nameless file, since both ends of a pipe at once would need threads."""
    program = find("zstd")
    if program is None:
        raise HostError("zstd-missing", "a layer is packed with zstd, and zstd is not installed", hint="install the package zstd")
    with tempfile.TemporaryFile() as packed:
        while chunk := stream.read(_CHUNK):
            packed.write(chunk)
        packed.flush()
        packed.seek(0)
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        try:
            # Messages would stand among the data: -q leaves only errors, after which nothing counts.
            handle = spawn([program, "-dcq"], log=theirs, stdin=packed.fileno())
        finally:
            os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as pipe:
            try:
                yield io.BufferedReader(_ProgramReader(pipe, handle), _CHUNK)
            finally:
                pipe.close()  # it ends by SIGPIPE when not all was read
                handle.wait_sync(_PATIENCE)
