"""Decoders of compressed streams: bounded in what they return at once and in the memory that they take.

Formats: RFC 1952 (gzip), the .xz file format 1.2.1, RFC 8878 (zstd), bzip2, and LZMA_alone as liblzma reads it.
"""

from __future__ import annotations

import bz2
import lzma
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from quarterdeck.errors import MediaError
from quarterdeck.media.packing import deflate
from quarterdeck.media.packing.failures import damaged, truncated, unsafe
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.window import CHUNK, Reader, Window
from quarterdeck.media.packing.xz import XzBlocks, has_sized_blocks

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_INPUT = 1 << 18
_PADDING = 1 << 16
_SIGNATURE_MAX = 1 << 16
"""Bytes behind a gzip stream that are ignored, as gzip(1) does: OpenWrt appends signatures to its images."""
_ERRORS: tuple[type[Exception], ...] = (*deflate.ERRORS, lzma.LZMAError, zstd.ZstdError, EOFError, OSError, ValueError, MemoryError)


class Codec(StrEnum):
    """How one stream is compressed."""

    GZIP = "gzip"
    XZ = "xz"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    LZMA = "lzma"


class Decoder(Protocol):
    """What the decoders of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without further input."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""


class Inflater:
    """zlib's decoder with the manners of the others; ``wbits`` as in zlib: 31 for gzip, -15 for a bare deflate stream."""

    def __init__(self, wbits: int) -> None:
        self._inner = deflate.new_decoder(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # A full answer may have more behind it although all input is taken.
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


def window_log(memory: int) -> int:
    """Return the largest window that a zstd decoder with ``memory`` bytes may have, as its logarithm (10 to 31)."""
    return min(max(memory.bit_length() - 1, 10), 31)


def zstd_decoder(memory: int) -> Decoder:
    """Return a decoder of one zstd frame that takes at most about ``memory`` bytes."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window_log(memory)})


_MAKERS: dict[Codec, Callable[[int], Decoder]] = {
    Codec.GZIP: lambda memory: Inflater(31),
    Codec.XZ: lambda memory: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory),
    Codec.ZSTD: zstd_decoder,
    Codec.BZIP2: lambda memory: bz2.BZ2Decompressor(),
    Codec.LZMA: lambda memory: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=memory),
}


def recognise_codec(head: bytes) -> Codec | None:
    """Return how the stream that begins with ``head`` is compressed, None when it is not."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Codec.GZIP
    if head.startswith(b"\xfd7zXZ\x00"):
        return Codec.XZ
    if head.startswith(b"BZh") and head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return Codec.BZIP2
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return Codec.ZSTD  # the second is a skippable frame, which pzstd writes first
    return Codec.LZMA if _is_lzma_alone(head) else None


def _is_lzma_alone(head: bytes) -> bool:
    """LZMA_alone has no magic; liblzma's own plausibility rules: sizes of dictionaries that encoders make, and less than 256 GiB."""
    if len(head) < 18 or head[0] != 0x5D or head[13] != 0:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    power = dictionary.bit_length() - 1
    plausible = dictionary >= 4096 and dictionary in (1 << power, (1 << power) + (1 << (power - 1)), 0xFFFFFFFF)
    return plausible and (size == (1 << 64) - 1 or 0 < size < 1 << 38)


class Unpacked:
    """What comes out of one or more compressed streams behind each other; zeros between and after them are padding."""

    def __init__(self, source: Window, codec: Codec, budget: Budget) -> None:
        self._source = source
        self._codec = codec
        self._budget = budget
        self._stream: Reader | None = self._open()

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            MediaError: the stream is damaged, cut off, followed by something else, or too large.
        """
        while self._stream is not None:
            if out := self._stream.read(min(size, CHUNK)):
                self._budget.give(len(out))
                return out
            self._stream = self._next()
        return b""

    def _open(self) -> Reader:
        memory = self._budget.limits.memory
        if self._codec is Codec.XZ and has_sized_blocks(self._source):
            return XzBlocks(self._source, memory)
        return _Serial(self._source, _MAKERS[self._codec](memory))

    def _next(self) -> Reader | None:
        rest = _after_padding(self._source)
        if not rest:
            return None
        if recognise_codec(rest) is self._codec and self._codec is not Codec.LZMA:
            return self._open()
        if self._codec is Codec.GZIP and len(self._source.peek(_SIGNATURE_MAX + 1)) <= _SIGNATURE_MAX:
            self._source.drain()
            return None
        raise damaged(self._source.name, f"something that is not {self._codec.value} follows its end")


class _Serial:
    """One stream by one decoder; what the decoder took too much goes back."""

    def __init__(self, source: Window, decoder: Decoder) -> None:
        self._source = source
        self._decoder = decoder
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, or ``b""`` when the stream has ended."""
        while not self._decoder.eof:
            if out := step(self._decoder, self._source, size):
                return out
        if not self._ended:
            self._ended = True
            self._source.put_back(self._decoder.unused_data)
        return b""


def _after_padding(source: Window) -> bytes:
    while part := source.peek(_PADDING):
        zeros = len(part) - len(part.lstrip(b"\x00"))
        source.skip(zeros)
        if zeros < len(part):
            return source.peek(32)
    return b""


def step(decoder: Decoder, source: Window, size: int) -> bytes:
    """Return up to ``size`` bytes that ``decoder`` makes of the next input; ``b""`` when it wants more or has ended.

    Raises:
        MediaError: the input is damaged or ends, or the decoder would take too much memory.
    """
    data = source.read(_INPUT) if decoder.needs_input else b""
    if decoder.needs_input and not data:
        raise truncated(source.name)
    try:
        return decoder.decompress(data, size)
    except _ERRORS as error:
        raise _failure(source.name, error) from error


def _failure(name: str, error: Exception) -> MediaError:
    words = str(error)
    if isinstance(error, MemoryError) or "memory" in words.lower():
        return unsafe(name, "its decoder would take more memory than is allowed")
    return damaged(name, words[:1].lower() + words[1:])
