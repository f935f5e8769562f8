"""VDI images of VirtualBox in one pass. Source: the layout at the top of QEMU's block/vdi.c and VirtualBox's VDICore.h, version 1.1."""

from __future__ import annotations

from struct import unpack_from

from quarterdeck.media.packing.blocks import BLOCKS_MAX, TABLES_MAX, BlockMap, make_map
from quarterdeck.media.packing.window import Window

_HEADER_SIZE = 512
_VERSION = 0x00010001
_DYNAMIC, _STATIC = 1, 2
_DISCARDED = 0xFFFFFFFE
"""From here on a block is zero: never written, or given back."""


def map_vdi(window: Window) -> BlockMap | None:
    """Return where the blocks of the VDI in ``window`` stand, None when this reader does not understand it."""
    head = window.peek(_HEADER_SIZE)
    if len(head) < _HEADER_SIZE or unpack_from("<I", head, 68)[0] != _VERSION:
        return None
    kind = unpack_from("<I", head, 76)[0]
    table, data = unpack_from("<II", head, 340)
    size, block, extra, count = unpack_from("<QIII", head, 368)
    if kind not in (_DYNAMIC, _STATIC) or block != 1 << 20 or extra or count > BLOCKS_MAX or count * block < size:
        return None
    if not _HEADER_SIZE <= table <= data <= TABLES_MAX or table + 4 * count > data:
        return None
    tables = window.peek(data)
    if len(tables) < data:
        return None
    places = unpack_from(f"<{count}I", tables, table)
    blocks = [(data + place * block, number * block) for number, place in enumerate(places) if place < _DISCARDED]
    return make_map(size, block, blocks, tables=data)
