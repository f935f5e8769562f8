"""Disks that come packed: in gz, xz, zip, ova and the like."""

from __future__ import annotations

import os
from pathlib import Path

from quarterdeck.core.report import Reporter
from quarterdeck.media.disk.thread import Tick, in_thread
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.formats import ImageFormat, open_image
from quarterdeck.media.packing.contents import HEAD_SIZE, Piece, recognise_content
from quarterdeck.media.packing.source import FileSource
from quarterdeck.media.packing.unpack import unpack_image


def packing_of(path: Path) -> str:
    """Return what the file at ``path`` is packed in, empty when it is not packed.

    Raises:
        MediaError: it cannot be read.
    """
    with open_image(path) as file:
        content = recognise_content(file.read(HEAD_SIZE))
    return "" if isinstance(content, ImageFormat | Piece) else content.value


def is_packed(path: Path) -> bool:
    """Whether the file at ``path`` is packed. Raises: MediaError when it cannot be read."""
    return bool(packing_of(path))


async def unpack(path: Path, work: Workplace, *, member: str | None, report: Reporter) -> Path:
    """Return the one image in ``path``, stored in ``work``.

    Raises:
        MediaError: damaged, refused as hostile, ambiguous, or without an image.
        HostError: no space.
    """
    size = os.stat(path).st_size

    def read(tick: Tick) -> Path:
        with FileSource(path) as source:
            return unpack_image(
                source,
                work.folder,
                member=member,
                progress=lambda packed, _: tick(packed),
                converting=lambda done, total: tick(size * done // total if total else 0),
            ).path

    return await in_thread(read, report=report, detail=f"unpacking {path.name}", total=size)
