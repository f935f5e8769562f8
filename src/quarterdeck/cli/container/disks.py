"""Disk files in the container's folders, made or grown before the machine is resolved, which uses them in place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from quarterdeck.cli.output import say
from quarterdeck.core.report import Event, Message
from quarterdeck.core.size import format_size
from quarterdeck.machine.environment import DiskFile
from quarterdeck.media.disk.create import create
from quarterdeck.media.disk.image import info
from quarterdeck.media.disk.kinds import Options, find_kind
from quarterdeck.media.disk.resize import NewSize, resize_in_place


def provide(files: Iterable[DiskFile]) -> None:
    """Make the disk files that are missing, and enlarge those that are too small.

    Raises:
        QuarterdeckError: a folder has no room or cannot be written, or a file is no disk.
    """
    for file in files:
        asyncio.run(_provide(file, Path(file.path), new=not os.path.lexists(file.path)))


async def _provide(file: DiskFile, path: Path, *, new: bool) -> None:
    if new:
        say(f"making {path}: {format_size(file.size)}, {file.format}")
        preallocation = "falloc" if file.preallocate else None
        options = Options(kind=find_kind(file.format, path), preallocation=preallocation, more=file.options)
        await create(path, options, size=file.size, report=_tell)
        return
    if (await info(path)).virtual_size < file.size:
        say(f"enlarging {path} to {format_size(file.size)}")
        await resize_in_place(path, NewSize(file.size), report=_tell)


def _tell(event: Event) -> None:
    if isinstance(event, Message):
        say(event.text)
