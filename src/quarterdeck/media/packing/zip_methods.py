"""The ways in which members of a zip are compressed: stored, deflate, deflate64 (Windows Explorer, above 2 GiB), bzip2, LZMA, zstd.

Source: PKWARE's APPNOTE 6.3.10, sections 4.4.5 (numbers of methods) and 5.8 (LZMA).
"""

from __future__ import annotations

import bz2
import lzma
import zlib

import inflate64

from quarterdeck.media.packing.codecs import Decoder, Inflater, step, zstd_decoder
from quarterdeck.media.packing.failures import damaged, truncated, unsafe, unsupported
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.window import Part, Reader, Window

_STORED, _DEFLATE, _DEFLATE64, _BZIP2, _LZMA, _ZSTD = 0, 8, 9, 12, 14, 93
_NAMES = {1: "shrink", 6: "implode", 95: "xz", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES encryption"}
_FINEST = 64
_COARSEST = 512
_PLENTY = 1 << 20


def open_method(window: Window, method: int, *, packed: int | None, budget: Budget) -> Reader:
    """Return the content of the member that begins at the front of ``window``; ``packed`` bytes long if that is known.

    Raises:
        MediaError: the method is not known.
    """
    if method == _STORED:
        return Part(window, packed or 0)
    if method == _DEFLATE64:
        if packed is None:
            raise unsupported(window.name, "a member that is packed with deflate64 does not say how long it is")
        return _Inflate64(Part(window, packed), window.name, budget)
    return _Member(window, _decoder(window, method, budget.limits.memory), packed=packed, budget=budget)


def _decoder(window: Window, method: int, memory: int) -> Decoder:
    if method == _DEFLATE:
        return Inflater(-zlib.MAX_WBITS)
    if method == _BZIP2:
        return bz2.BZ2Decompressor()
    if method == _ZSTD:
        return zstd_decoder(memory)
    if method == _LZMA:
        return _lzma_decoder(window, memory)
    raise unsupported(window.name, f"a member is packed with {_NAMES.get(method, f'method {method}')}")


def _lzma_decoder(window: Window, memory: int) -> Decoder:
    """The member begins with a version (2 bytes), the length of the properties (2), and those: lc, lp, pb (1) and the dictionary (4)."""
    head = window.exactly(9)
    packed_properties, dictionary = head[4], int.from_bytes(head[5:9], "little")
    if head[2:4] != b"\x05\x00" or packed_properties >= 9 * 5 * 5:
        raise damaged(window.name, "the LZMA properties of a member make no sense")
    if dictionary > memory:
        raise unsafe(window.name, "its decoder would take more memory than is allowed")
    rest, lc = divmod(packed_properties, 9)
    pb, lp = divmod(rest, 5)
    try:
        chain = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": max(dictionary, 4096)}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
    except lzma.LZMAError:
        raise damaged(window.name, "the LZMA properties of a member make no sense") from None


class _Member:
    """One compressed stream; what the decoder took too much goes back."""

    def __init__(self, window: Window, decoder: Decoder, *, packed: int | None, budget: Budget) -> None:
        self._whole = window
        self._part = None if packed is None else Part(window, packed - _taken_before(decoder))
        self._input = window if self._part is None else Window(self._part, window.name)
        self._decoder = decoder
        self._budget = budget
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        while not self._ended:
            if self._decoder.eof or self._at_end():
                self._end()
            elif out := step(self._decoder, self._input, size):
                self._budget.give(len(out))
                return out
        return b""

    def _at_end(self) -> bool:
        """An LZMA stream may have no mark at its end: then it ends with its part."""
        marked = not isinstance(self._decoder, lzma.LZMADecompressor)
        return not marked and self._decoder.needs_input and self._part is not None and not self._input.peek(1)

    def _end(self) -> None:
        self._ended = True
        self._input.put_back(self._decoder.unused_data)
        if self._part is not None and self._input.peek(1):
            raise damaged(self._whole.name, "a member is shorter than it says")


def _taken_before(decoder: Decoder) -> int:
    return 9 if isinstance(decoder, lzma.LZMADecompressor) else 0


class _Inflate64:
    """A deflate64 stream. Its decoder cannot be told how much to return, so it gets little at once, and less when much came out."""

    def __init__(self, part: Part, name: str, budget: Budget) -> None:
        self._part = part
        self._name = name
        self._budget = budget
        self._decoder = inflate64.Inflater()
        self._step = _FINEST
        self._out = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        while not self._out and not self._decoder.eof:
            self._out = self._more()
        if not self._out and self._part.read(1):
            raise damaged(self._name, "a member is shorter than it says")
        out, self._out = self._out[:size], self._out[size:]
        return out

    def _more(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while total < _PLENTY and not self._decoder.eof:
            out = self._next()
            parts.append(out)
            total += len(out)
        self._budget.give(total)
        return b"".join(parts)

    def _next(self) -> bytes:
        data = self._part.read(self._step)
        if not data:
            raise truncated(self._name)
        try:
            out: bytes = self._decoder.inflate(data)
        except (ValueError, OSError, EOFError, MemoryError, RuntimeError) as error:
            raise damaged(self._name, str(error)) from error
        self._step = _FINEST if len(out) > _PLENTY else min(self._step * 2, _COARSEST)
        return out
