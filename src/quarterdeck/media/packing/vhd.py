"""VHD images in one pass: dynamic ones by their table, fixed ones by cutting off the footer.

Source: Microsoft's "Virtual Hard Disk Image Format Specification" 1.0; all numbers are big-endian.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import unpack_from

from quarterdeck.media.packing.blocks import BLOCKS_MAX, TABLES_MAX, BlockMap, make_map
from quarterdeck.media.packing.failures import damaged
from quarterdeck.media.packing.window import Window

_SECTOR = 512
_FIXED, _DYNAMIC = 2, 3
_UNUSED = 0xFFFFFFFF
_HEADER_SIZE = 1024


def map_vhd(window: Window) -> BlockMap | None:
    """Return where the blocks of the dynamic VHD in ``window`` stand, None when this reader does not understand it."""
    footer = window.peek(_SECTOR)
    if len(footer) < _SECTOR or not _checksum_right(footer, 64) or unpack_from(">I", footer, 60)[0] != _DYNAMIC:
        return None
    place, size = unpack_from(">Q", footer, 16)[0], unpack_from(">Q", footer, 48)[0]
    if place > TABLES_MAX:
        return None
    header = window.peek(place + _HEADER_SIZE)[place:]
    if len(header) < _HEADER_SIZE or not header.startswith(b"cxsparse") or not _checksum_right(header, 36):
        return None
    table, count, block = unpack_from(">Q4xII", header, 16)
    if not _SECTOR * 8 <= block <= 1 << 28 or block & (block - 1) or count > BLOCKS_MAX or count * block < size:
        return None
    end = table + 4 * count
    tables = window.peek(end) if end <= TABLES_MAX else b""
    if not tables or len(tables) < end:
        return None
    # Each block begins with a bitmap of its sectors, which says nothing that the data does not say.
    bitmap = -(-block // _SECTOR // 8 // _SECTOR) * _SECTOR
    places = unpack_from(f">{count}I", tables, table)
    blocks = [(sector * _SECTOR + bitmap, number * block) for number, sector in enumerate(places) if sector != _UNUSED]
    return make_map(size, block, [pair for pair in blocks if pair[1] < size], tables=end)


def _checksum_right(data: bytes, offset: int) -> bool:
    """The one's complement of the sum of all bytes but those of the checksum itself."""
    stated = int.from_bytes(data[offset : offset + 4], "big")
    return stated == ~(sum(data) - sum(data[offset : offset + 4])) & 0xFFFFFFFF


def cut_footer(path: Path, name: str) -> None:
    """Make the fixed VHD at ``path`` the raw disk that it is.

    Raises:
        MediaError: it is no whole fixed VHD.
    """
    length = path.stat().st_size - _SECTOR
    with path.open("rb") as file:
        file.seek(length)
        footer = file.read(_SECTOR)
    size, kind = unpack_from(">Q", footer, 48)[0], unpack_from(">I", footer, 60)[0]
    if kind != _FIXED or not _checksum_right(footer, 64) or size > length:
        raise damaged(name, "the footer of the fixed VHD does not fit it")
    os.truncate(path, size)
