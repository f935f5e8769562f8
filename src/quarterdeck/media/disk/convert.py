"""Copies of disks in any format: the copy appears whole or not at all, the original is only read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.fs import allocated
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.core.size import format_size
from quarterdeck.errors import MediaError
from quarterdeck.media.disk.kinds import Options
from quarterdeck.media.disk.source import Source, open_source
from quarterdeck.media.disk.tool import check_idle, run_tool
from quarterdeck.media.disk.workplace import Workplace, check_target, workplace

_SECTOR = 512
_TABLES = 1 << 20
"""Bytes that the tables of an empty disk may take."""


@dataclass(frozen=True)
class Made:
    """A disk that was made: sizes in bytes, as the guest sees it and on this host."""

    path: Path
    format: str
    virtual_size: int
    actual_size: int

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {"path": str(self.path), "format": self.format, "virtual_size": self.virtual_size, "actual_size": self.actual_size}


async def convert(path: Path, target: Path, options: Options, *, force: bool = False, member: str | None = None, report: Reporter) -> Made:
    """Copy the disk at ``path`` to ``target``; packed ones are unpacked, those that stand on others become one.

    Raises:
        UsageError: the format lacks an option.
        MediaError: the disk cannot be read, is in use, or the target exists and ``force`` is false.
        HostError: no space, or no qemu-img.
    """
    options.words()  # refused before anything is done
    target = check_target(target, force=force)
    with workplace(target, report) as work:
        source = await open_source(path, work, member=member, report=report)
        await check_replaced(target, source.files)
        made = work.new(target)
        await move_or_write(source, made, options, work=work, report=report)
        source.check_unchanged()
        work.publish(made, target, force=force)
    return finished(target, options.kind.name, source.size, report=report)


def finished(target: Path, form: str, size: int, *, report: Reporter) -> Made:
    """Report that ``target`` is there, whose disks have ``size`` bytes, and return it."""
    made = Made(target, form, size, allocated(target))
    report(Step("disk", StepStatus.DONE, f"{target.name}: {format_size(size)}, {format_size(made.actual_size)} on this host"))
    return made


async def move_or_write(source: Source, made: Path, options: Options, *, work: Workplace, report: Reporter) -> None:
    """Make ``made`` in ``work`` of ``source``: by moving it when it is ours and already what is wanted. Raises: as :func:`convert`."""
    if source.ours and options.plain and source.driver == options.kind.driver:
        source.files[0].rename(made)
    else:
        await write_disk(source, made, options, work=work, report=report)


async def write_disk(source: Source, made: Path, options: Options, *, work: Workplace, report: Reporter, size: int | None = None) -> None:
    """Copy what the guest sees of ``source`` to the new file ``made`` in ``work``; ``size`` bytes of it, or more, then zeros follow.

    Raises: as :func:`convert`.
    """
    size = source.size if size is None else size
    seen = source.file_name(size)
    work.check_room(await needed_bytes(seen, options, source.name))
    await make_empty(made, options, size=size, work=work)
    detail = f"{source.name} to {options.kind.name}"
    words = ["qemu-img", "convert", "-n", "--target-is-zero", "-p", "-t", "unsafe", *(["-c"] if options.compress else [])]

    def percent(done: float) -> None:
        report(Step("disk", StepStatus.RUNNING, detail, done=int(size * done / 100), total=size, unit="bytes"))

    what = f"{source.name} cannot be copied"
    await run_tool([*words, "-O", options.kind.driver, seen, made], what=what, lock=work.lock, on_percent=percent, timeout=None)


async def make_empty(made: Path, options: Options, *, size: int, work: Workplace) -> None:
    """Make the empty disk ``made`` of ``size`` bytes in ``work``. Raises: as :func:`convert`."""
    work.check_room(_TABLES)  # qemu-img ends in an assertion where those of a VMDK have no room
    words: list[str | Path] = ["qemu-img", "create", "-q", "-f", options.kind.driver, *options.words(), made, str(size)]
    await run_tool(words, what=f"the {options.kind.name} disk cannot be made", lock=work.lock, timeout=None)


async def check_replaced(target: Path, files: Sequence[Path]) -> None:
    """Refuse to replace a part of the source, or a disk that is in use. Raises: MediaError."""
    size, same = await asyncio.to_thread(_compare, target, files)
    if size is None:
        return
    if same:
        reason = "the copy would take its place"
        raise MediaError("same-file", f"{target} is a part of what is read", reason=reason, hint="write to another name")
    # Whatever is in it: as raw it can always be opened, unless somebody has locked it.
    tree = {"driver": "raw", "file": {"driver": "file", "filename": str(target)}}
    if size >= _SECTOR:  # less is no disk
        await check_idle(tree, what=f"{target} cannot be replaced")


def _compare(target: Path, files: Sequence[Path]) -> tuple[int | None, bool]:
    """Return the bytes of ``target``, None when it is no file, and whether it is one of ``files``."""
    if not target.is_file():
        return None, False
    return target.stat().st_size, any(target.samefile(path) for path in files if path.exists())


async def needed_bytes(seen: str, options: Options, name: str) -> int:
    """Return how many bytes a copy of the disk that qemu-img calls ``seen`` takes at most; 0 for a compressed one, of which nobody knows.

    Raises:
        MediaError: the disk, which people know by ``name``, cannot be read.
    """
    if options.compress:
        return 0
    answer = await run_tool(["qemu-img", "measure", "--output=json", "-O", "qcow2", seen], what=f"{name} cannot be read")
    try:
        found = json.loads(answer)
        return int(found["fully-allocated" if options.preallocation in ("falloc", "full") else "required"])
    except (ValueError, KeyError, TypeError) as error:
        raise MediaError("image-damaged", f"{name} cannot be measured", reason="qemu-img gave an answer that makes no sense") from error
