"""Streams of xz whose blocks tell their sizes, as ``xz -T`` writes them: several blocks are decoded at once.

Each block becomes a complete little .xz file, so that liblzma itself checks it. Source: the .xz file format 1.2.1, chapters 2 to 4.
"""

from __future__ import annotations

import lzma
import os
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from quarterdeck.media.packing.failures import damaged, unsafe, unsupported
from quarterdeck.media.packing.window import CHUNK, Part, Window

_HEADER_SIZE = 12
_FOOTER_SIZE = 12
_CHECK_SIZES = (0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64)
_PACKED_SIZE, _UNPACKED_SIZE = 1 << 6, 1 << 7
_WORKERS_MAX = 4
_WORKERS = min(os.cpu_count() or 1, _WORKERS_MAX)
_AHEAD = _WORKERS + 1
"""Blocks that are in work or wait for it, so that no worker rests while what comes out is written."""
_RECORDS_MAX = 1 << 22


@dataclass(frozen=True)
class _Block:
    """Sizes in bytes: ``stored`` with header, padding and check, ``unpadded`` as the index counts it, ``unpacked`` what comes out."""

    stored: int
    unpadded: int
    unpacked: int


class XzBlocks:
    """The content of the one stream at the front of ``window``; a decoder may take ``memory`` bytes."""

    def __init__(self, window: Window, memory: int) -> None:
        self._window = window
        self._memory = memory
        self._header = window.exactly(_HEADER_SIZE)
        self._blocks: list[_Block] = []
        self._pieces = self._decode()
        self._ready = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, or ``b""`` when the stream has ended; the window then stands behind it.

        Raises:
            MediaError: the stream is damaged or cut off, or wants too much memory.
        """
        while not self._ready:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._ready = piece
        out, self._ready = self._ready[:size], self._ready[size:]
        return out

    def _decode(self) -> Iterator[bytes]:
        """Keep as many blocks in work as there are processors; what comes out keeps its order."""
        working: deque[Future[list[bytes]]] = deque()
        with ThreadPoolExecutor(_WORKERS) as pool:
            while self._window.peek(1) not in (b"", b"\x00"):
                block = self._next_block()
                if max(block.unpacked, block.stored) > self._memory // (2 * _WORKERS_MAX + 2):
                    yield from self._finish(working)
                    yield from self._decode_large(block)
                    continue
                if len(working) == _AHEAD:
                    yield from self._result(working.popleft())
                working.append(pool.submit(_decode_block, self._wrapped(block), block.unpacked, self._memory))
            yield from self._finish(working)
        self._check_index()

    def _finish(self, working: deque[Future[list[bytes]]]) -> Iterator[bytes]:
        while working:
            yield from self._result(working.popleft())

    def _next_block(self) -> _Block:
        block = read_block(self._window, self._check_size())
        if block is None:
            raise unsupported(self._window.name, "some of its xz blocks tell their size and some do not")
        self._blocks.append(block)
        if len(self._blocks) > _RECORDS_MAX:
            raise unsafe(self._window.name, "it has too many blocks")
        return block

    def _check_size(self) -> int:
        return _CHECK_SIZES[self._header[7] & 15]

    def _wrapped(self, block: _Block) -> bytes:
        return self._header + self._window.exactly(block.stored) + self._tail([block])

    def _tail(self, blocks: list[_Block]) -> bytes:
        """Return index and footer of a stream of ``blocks``."""
        index = b"\x00" + _vint(len(blocks)) + b"".join(_vint(block.unpadded) + _vint(block.unpacked) for block in blocks)
        index += bytes(-len(index) % 4)
        index += zlib.crc32(index).to_bytes(4, "little")
        footer = (len(index) // 4 - 1).to_bytes(4, "little") + self._header[6:8]
        return index + zlib.crc32(footer).to_bytes(4, "little") + footer + b"YZ"

    def _result(self, future: Future[list[bytes]]) -> list[bytes]:
        try:
            return future.result()
        except (lzma.LZMAError, EOFError, MemoryError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            return unsafe(self._window.name, "its decoder would take more memory than is allowed")
        return damaged(self._window.name, f"a block of xz cannot be unpacked: {error}")

    def _decode_large(self, block: _Block) -> Iterator[bytes]:
        """Decode a block piece by piece, which needs no more memory than its dictionary."""
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=self._memory)
        part = Part(self._window, block.stored)
        data: bytes | None = self._header
        try:
            while not decoder.eof:
                if decoder.needs_input:
                    data = data or part.read(CHUNK) or self._tail([block])
                out = decoder.decompress(data or b"", CHUNK)
                data = None
                if out:
                    yield out
        except (lzma.LZMAError, EOFError, MemoryError) as error:
            raise self._failure(error) from error
        if part.left:
            raise damaged(self._window.name, "a block of xz is shorter than it says")

    def _check_index(self) -> None:
        """The index and footer must be those of the blocks that came."""
        expected = self._tail(self._blocks)
        if self._window.exactly(len(expected)) != expected:
            raise damaged(self._window.name, "the index of xz does not tell of its blocks")


def has_sized_blocks(window: Window) -> bool:
    """Whether the xz stream at the front of ``window`` can be read by :class:`XzBlocks`: its header is right, its first block sized."""
    head = window.peek(_HEADER_SIZE + 1024)
    right = len(head) > _HEADER_SIZE and zlib.crc32(head[6:8]).to_bytes(4, "little") == head[8:12] and head[6] == 0 and head[7] < 16
    return right and bool(head[12]) and _parse_block(head[12:], _CHECK_SIZES[head[7]]) is not None


def read_block(window: Window, check: int) -> _Block | None:
    """Return the sizes of the block at the front of ``window``, which stays there; None when it does not tell them."""
    return _parse_block(window.peek(1024), check)


def _parse_block(head: bytes, check: int) -> _Block | None:
    size = (head[0] + 1) * 4
    if len(head) < size or head[1] & _PACKED_SIZE == 0 or head[1] & _UNPACKED_SIZE == 0:
        return None
    packed, place = _read_vint(head, 2)
    unpacked, _ = _read_vint(head, place)
    if not packed or packed >= 1 << 62 or unpacked >= 1 << 62:
        return None
    unpadded = size + packed + check
    return _Block(size + packed + -packed % 4 + check, unpadded, unpacked)


def _read_vint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at ``place``, 7 bits a byte, and the place behind it."""
    value = 0
    for count, byte in enumerate(data[place : place + 9]):
        value |= (byte & 127) << (7 * count)
        if byte < 128:
            return value, place + count + 1
    return 0, place


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _decode_block(stream: bytes, size: int, memory: int) -> list[bytes]:
    """The index at its end holds the true size: a block that unpacks to another is refused by liblzma."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory)
    # In pieces that stay in the processor's cache until they are put together.
    out = [decoder.decompress(stream, CHUNK)]
    left = size - len(out[0])
    while not decoder.eof and left >= 0 and not decoder.needs_input:
        out.append(decoder.decompress(b"", CHUNK))
        left -= len(out[-1])
    if not decoder.eof or decoder.unused_data:
        raise lzma.LZMAError("a block is not as long as it says")
    return out
