"""Writing one image stream to disk: as it is, or as the raw disk that it describes when one pass can tell."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing.blocks import BlockMap, write_blocks
from quarterdeck.media.packing.contents import Content, Piece
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.settle import Settled
from quarterdeck.media.packing.sparse import SparseFile, spill
from quarterdeck.media.packing.vhd import map_vhd
from quarterdeck.media.packing.virtualbox import map_vdi
from quarterdeck.media.packing.vmdk import SparseHeader, StreamReader, map_extent, read_header
from quarterdeck.media.packing.window import Window


def store_image(window: Window, content: Content, path: Path, *, budget: Budget) -> Settled:
    """Store the image that begins at the front of ``window`` in the new file ``path``.

    Raises:
        MediaError: it is damaged, cut off or too large.
        HostError: it cannot be stored.
    """
    header = read_header(window.peek(512)) if content in (ImageFormat.VMDK, Piece.EXTENT) else None
    if header is not None and header.streamed:
        return _stream(window, header, path, budget=budget)
    blocks = _map(window, content, header)
    if blocks is None:
        return Settled(spill(window, path, budget), window.name, (path,))
    budget.check_size(blocks.virtual_size)
    with SparseFile(path, budget) as file:
        write_blocks(window, blocks, file)
    return Settled(path, window.name, (path,), decoded=True)


def readable_in_one_pass(window: Window, content: Content) -> bool:
    """Whether :func:`store_image` makes a disk of ``content`` that qemu-img need not convert."""
    if content in (ImageFormat.QCOW2, ImageFormat.RAW, ImageFormat.ISO) or isinstance(content, Piece):
        return True
    header = read_header(window.peek(512)) if content is ImageFormat.VMDK else None
    return (header is not None and header.streamed) or _map(window, content, header) is not None


def _stream(window: Window, header: SparseHeader, path: Path, *, budget: Budget) -> Settled:
    budget.check_size(header.capacity * 512)
    with SparseFile(path, budget) as file:
        StreamReader(window, header, file).run()
    return Settled(path, window.name, (path,), decoded=True)


def _map(window: Window, content: Content, header: SparseHeader | None) -> BlockMap | None:
    if header is not None:
        return map_extent(window, header)
    if content is ImageFormat.VDI:
        return map_vdi(window)
    return map_vhd(window) if content is ImageFormat.VPC else None
