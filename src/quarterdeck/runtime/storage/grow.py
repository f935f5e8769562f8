"""Growing a disk, offline and while the guest runs."""

from __future__ import annotations

import dataclasses

from quarterdeck.core import fs
from quarterdeck.core.size import format_size
from quarterdeck.errors import UsageError
from quarterdeck.machine.load import spec_to_json
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import journal
from quarterdeck.runtime.storage.disks import MachineDisk, disk_specs
from quarterdeck.runtime.storage.subject import Subject

GROW = "grow"
_SECTOR = 512


async def grow(subject: Subject, size: int, *, index: int = 0) -> int:
    """Make disk number ``index`` ``size`` bytes large and return its size; the guest sees it at once.

    Raises:
        UsageError: there is no such disk, or it is larger already: disks never shrink.
    """
    disk = _find(subject, index)
    whole = -(-size // _SECTOR) * _SECTOR
    now = (await subject.hand.look(disk)).virtual_size
    if whole < now:
        reason = f"it has {format_size(now)}, and a smaller disk would lose what is at its end"
        hint = f"name a size above {format_size(now)}"
        raise UsageError("disk-shrinks", f"{disk.id} cannot be made {format_size(whole)} large", reason=reason, hint=hint)
    journal.write(subject.layout, GROW, index=index, size=whole)
    try:
        if whole > now:
            await subject.hand.resize(disk, whole)
        _note(subject, index, whole)
    finally:
        journal.clear(subject.layout)
    return whole


def _find(subject: Subject, index: int) -> MachineDisk:
    for disk in subject.disks:
        if disk.index == index:
            return disk
    known = ", ".join(str(disk.index) for disk in subject.disks)
    raise UsageError("no-such-disk", f"the machine writes no disk {index}", hint=f"it has: {known}" if known else "it has none")


def _note(subject: Subject, index: int, size: int) -> None:
    """Let the spec say what the disk is now."""
    found = assets.pinned(subject.layout)
    assert found is not None
    disks = list(disk_specs(subject.spec, found))
    disks[index] = dataclasses.replace(disks[index], size=size)
    spec = dataclasses.replace(subject.spec, disks=tuple(disks))
    fs.write_atomic(subject.layout.spec, spec_to_json(spec).encode())
