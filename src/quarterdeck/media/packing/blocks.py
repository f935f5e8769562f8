"""Images that say at their beginning where each block of the disk stands: read once from front to back, written sparse.

The readers of headers (VMDK, VDI, VHD) make a :class:`BlockMap`; what they do not understand is left to qemu-img.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import unpack

from quarterdeck.media.packing import deflate
from quarterdeck.media.packing.failures import damaged
from quarterdeck.media.packing.sparse import SparseFile
from quarterdeck.media.packing.window import Window

TABLES_MAX = 64 << 20
"""Bytes of headers and tables that are held in memory; larger ones are left to qemu-img."""
BLOCKS_MAX = 4 << 20
_MARKER_SIZE = 12
_SECTOR = 512


@dataclass(frozen=True)
class BlockMap:
    """Where a disk's blocks stand in its file, in bytes; blocks that are not named are zero.

    ``blocks`` are pairs of position in the file and in the disk, in the order of the file. With ``compressed`` each block is a VMDK
    grain with its marker, else ``block_size`` plain bytes.
    """

    virtual_size: int
    block_size: int
    blocks: Sequence[tuple[int, int]]
    compressed: bool = False


def make_map(
    virtual_size: int, block_size: int, blocks: list[tuple[int, int]], *, tables: int, compressed: bool = False
) -> BlockMap | None:
    """Return the map of ``blocks``, or None when one pass cannot read them: they overlap, or stand before the end of ``tables``."""
    blocks.sort()
    gap = _MARKER_SIZE if compressed else block_size
    if blocks and blocks[0][0] < tables:
        return None
    for (first, _), (second, _) in pairwise(blocks):
        if second < first + gap:
            return None
    if any(offset >= virtual_size for _, offset in blocks):
        return None
    return BlockMap(virtual_size, block_size, blocks, compressed)


def write_blocks(window: Window, wanted: BlockMap, out: SparseFile) -> None:
    """Write the disk that ``window`` holds according to its map ``wanted``.

    Raises:
        MediaError: the file is cut off or damaged, or the disk too large.
        HostError: the file system is full.
    """
    start = window.position
    for position, offset in wanted.blocks:
        window.skip(max(0, start + position - window.position))
        size = min(wanted.block_size, wanted.virtual_size - offset)
        data = _grain(window, offset, wanted.block_size)[:size] if wanted.compressed else window.exactly(size)
        out.write_at(offset, data)
    out.finish(wanted.virtual_size)


def _grain(window: Window, offset: int, size: int) -> bytes:
    sector, packed = unpack("<QI", window.exactly(_MARKER_SIZE))
    if sector * _SECTOR != offset:
        raise damaged(window.name, "a grain does not stand where its table says")
    return inflate_grain(window, packed, size)


def inflate_grain(window: Window, packed: int, size: int) -> bytes:
    """Take a zlib stream of ``packed`` bytes from ``window`` and return the grain of ``size`` bytes in it.

    Raises:
        MediaError: it is damaged, or unpacks to more.
    """
    if not 0 < packed <= 2 * size + _SECTOR:
        raise damaged(window.name, "a grain has a length that cannot be")
    decoder = deflate.new_decoder()
    try:
        data = decoder.decompress(window.exactly(packed), size)
        more = decoder.decompress(decoder.unconsumed_tail, 1)
    except deflate.ERRORS as error:
        raise damaged(window.name, f"a grain cannot be unpacked: {error}") from error
    if more or not decoder.eof:
        raise damaged(window.name, "a grain is larger than it may be, or cut off")
    return data
