"""Deflate in all its wrappings: by zlib-ng, which takes half of zlib's time, or by zlib on platforms that it is not built for."""

from __future__ import annotations

import zlib
from typing import Protocol, cast

try:
    from zlib_ng import zlib_ng as _library
except ImportError:
    import zlib as _library  # type: ignore[no-redef]

ERRORS = (zlib.error, cast("type[Exception]", _library.error))
"""What a decoder raises when its input is damaged."""


class RawDecoder(Protocol):
    """A decoder as zlib makes it."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not taken yet, since the output was full."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return at most ``max_length`` bytes."""


def new_decoder(wbits: int = zlib.MAX_WBITS) -> RawDecoder:
    """Return a decoder of one stream; ``wbits`` as in zlib: 31 for gzip, -15 for a bare deflate stream, 15 for a zlib stream."""
    return _library.decompressobj(wbits)


def crc32(data: bytes, before: int = 0) -> int:
    """Return the CRC-32 of ``data`` behind what has the one ``before``."""
    return _library.crc32(data, before)
