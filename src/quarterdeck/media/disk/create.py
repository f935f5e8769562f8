"""New, empty disks."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.media.disk.convert import Made, check_replaced, finished, make_empty
from quarterdeck.media.disk.kinds import Options
from quarterdeck.media.disk.workplace import check_target, workplace

SECTOR = 512
_LARGEST = 2**63 - SECTOR
"""QEMU counts bytes in signed 64-bit numbers."""


def whole_sectors(size: int) -> int:
    """Return ``size`` in bytes rounded up to whole sectors.

    Raises:
        UsageError: it is no size of a disk.
    """
    if not SECTOR <= size <= _LARGEST:
        raise UsageError("invalid-size", f"a disk cannot have {size} bytes", hint="give a size such as 20G")
    return -(-size // SECTOR) * SECTOR


async def create(target: Path, options: Options, *, size: int, force: bool = False, report: Reporter) -> Made:
    """Make an empty disk of ``size`` bytes at ``target``; it takes space only as it is filled, unless preallocated.

    Raises:
        UsageError: the format lacks an option, or the size makes no sense.
        MediaError: the target exists and ``force`` is false.
        HostError: no space, or no qemu-img.
    """
    size = whole_sectors(size)
    if options.compress:
        raise UsageError("cannot-compress", "an empty disk has nothing to compress", hint="compress when it is converted")
    options.words()
    target = check_target(target, force=force)
    with workplace(target, report) as work:
        await check_replaced(target, ())
        made = work.new(target)
        work.check_room(size if options.preallocation in ("falloc", "full") else 0)
        await make_empty(made, options, size=size, work=work)
        work.publish(made, target, force=force)
    return finished(target, options.kind.name, size, report=report)
