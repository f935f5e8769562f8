"""Larger and smaller disks: where they lie, when that is asked for, or as a copy."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.core.size import format_size
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.media.disk.content import empty_from, read_start, write_parts
from quarterdeck.media.disk.convert import Made, check_replaced, finished, write_disk
from quarterdeck.media.disk.create import whole_sectors
from quarterdeck.media.disk.details import read_details
from quarterdeck.media.disk.image import info
from quarterdeck.media.disk.kinds import KINDS, Kind, Options
from quarterdeck.media.disk.partitions import PartitionTable, read_table
from quarterdeck.media.disk.source import open_source, open_tree
from quarterdeck.media.disk.tool import Tree, check_idle, file_name, run_tool
from quarterdeck.media.disk.workplace import check_target, sweep, workplace


@dataclass(frozen=True)
class NewSize:
    """What is asked for: ``size`` in bytes, or by how much it is to grow when ``more``; ``shrink`` says that less is meant."""

    size: int
    more: bool = False
    shrink: bool = False

    def settle(self, current: int, name: str) -> int:
        """Return the new size of a disk of ``current`` bytes.

        Raises:
            UsageError: that is smaller, and ``shrink`` is false.
        """
        size = whole_sectors(current + self.size if self.more else self.size)
        if size < current and not self.shrink:
            reason = f"it has {format_size(current)}; what lies behind {format_size(size)} would be lost"
            raise UsageError("disk-would-shrink", f"{name} would become smaller", reason=reason, hint="--shrink if that is what you want")
        return size


async def resize_in_place(path: Path, wanted: NewSize, *, report: Reporter) -> Made:
    """Change the size of the disk at ``path``, nothing of its content but a partition table's copy, which moves to the end.

    Interrupted at any moment, it has the old size or the new one; another run does the rest.

    Raises:
        UsageError: it would become smaller, and that was not said.
        MediaError: its format or partitions do not allow it, or it is in use.
    """
    found = await info(path)
    kind = _resizable(found.format.driver, path)
    if stat.S_ISBLK(found.path.stat().st_mode):
        raise MediaError("not-resizable", f"{path} is a block device", reason="its size is that of the hardware or of a volume")
    sweep(found.path.parent, report)
    tree = open_tree(found.path, kind.driver)
    await check_idle(tree, what=f"{path} cannot be resized")
    details = await read_details(tree, str(path))
    if details.encryption:
        reason = "its size cannot be changed without the key"
        raise MediaError("image-encrypted", f"{path} is encrypted", reason=reason, hint="qemu-img resize --object")
    size = wanted.settle(details.virtual_size, str(path))
    table = await _fitting(tree, details.virtual_size, size, name=str(path))
    if size < details.virtual_size:
        await _move_copy(tree, table, size, name=str(path), report=report)
    if size != details.virtual_size:
        shrink = ["--shrink"] if size < details.virtual_size else []
        await run_tool(["qemu-img", "resize", "-q", *shrink, file_name(tree), str(size)], what=f"{path} cannot be resized")
    if size >= details.virtual_size:
        await _move_copy(tree, table, size, name=str(path), report=report)
    return finished(found.path, kind.name, size, report=report)


async def resize_copy(
    path: Path,
    target: Path,
    options: Options,
    *,
    wanted: NewSize,
    force: bool = False,
    member: str | None = None,
    report: Reporter,
) -> Made:
    """Copy the disk at ``path`` to ``target`` with another size; any format will do. Raises: as convert and :func:`resize_in_place`."""
    options.words()
    target = check_target(target, force=force)
    with workplace(target, report) as work:
        source = await open_source(path, work, member=member, report=report)
        await check_replaced(target, source.files)
        size = wanted.settle(source.size, source.name)
        table = await _fitting(source.tree, source.size, size, name=source.name)
        made = work.new(target)
        await write_disk(source, made, options, work=work, report=report, size=size)
        source.check_unchanged()
        if not options.compress:  # what is compressed is written once, from front to back
            await _move_copy(open_tree(made, options.kind.driver), table, size, name=target.name, report=report)
        elif table is not None and table.gpt is not None:
            report(Message(Level.WARNING, _left(target.name)))
        work.publish(made, target, force=force)
    return finished(target, options.kind.name, size, report=report)


def _resizable(driver: str, path: Path) -> Kind:
    kind = next((kind for kind in KINDS if kind.driver == driver), None)
    if kind is not None and kind.resizable:
        return kind
    able = ", ".join(kind.name for kind in KINDS if kind.resizable)
    raise MediaError(
        "not-resizable",
        f"{path} cannot be resized where it lies",
        reason=f"QEMU can do that with {able}, and this is {driver}",
        hint="make a copy of another size: qd disk resize FILE SIZE --to NEW",
    )


async def _fitting(tree: Tree, current: int, size: int, *, name: str) -> PartitionTable | None:
    """Return the partition table, after making sure that nothing is cut off.

    Raises:
        MediaError: something would be.
    """
    table = read_table(await read_start(tree, name), current)
    if size >= current:
        return table
    if table is not None and table.partitions and (table.gpt is not None or table.scheme == "dos"):
        if table.needed > size:
            reason = f"its partitions need {format_size(table.needed)}"
            raise MediaError("disk-would-be-cut", f"{name} cannot become smaller than that", reason=reason, hint="shrink them first")
    elif not await empty_from(tree, size, name):
        reason = "there is data behind the new end, and no partition table that says whether it matters"
        raise MediaError("disk-would-be-cut", f"{name} cannot become smaller", reason=reason, hint="shrink the file system in it first")
    return table


async def _move_copy(tree: Tree, table: PartitionTable | None, size: int, *, name: str, report: Reporter) -> None:
    """Bring the copy of a GPT to the end of the disk; a damaged one is left alone."""
    if table is None or table.scheme != "gpt":
        return
    if table.gpt is None or size % table.gpt.sector or table.gpt.needed > size:
        report(Message(Level.WARNING, f"the partition table of {name} was left as it is: {table.flaw or 'it does not fit'}"))
        return
    if table.gpt.backup == size - table.gpt.sector:
        return
    await write_parts(tree, table.gpt.moved(size), name)
    report(Message(Level.INFO, f"the copy of the partition table of {name} was moved to the end of the disk"))


def _left(name: str) -> str:
    return f"the copy of the partition table of {name} is not at the end of the disk: a compressed disk is not written twice"
