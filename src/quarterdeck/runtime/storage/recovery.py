"""What a killed operation left: finished or taken back by whoever comes next, who says so."""

from __future__ import annotations

import shutil
from contextlib import suppress

from quarterdeck.core.report import Level
from quarterdeck.errors import DeadlineError, MediaError, QemuError
from quarterdeck.runtime.instance import stop_helpers
from quarterdeck.runtime.storage import backup, copying, grow, jobs, journal, seal, snapshot, snapshots, still
from quarterdeck.runtime.storage.moment import release
from quarterdeck.runtime.storage.orphans import wait_for_orphans
from quarterdeck.runtime.storage.subject import Subject
from quarterdeck.runtime.takeover import strays


async def recover(subject: Subject) -> None:
    """Finish or take back what the journal says. To be called before anything else is done with the disks.

    Raises:
        QuarterdeckError: that failed too; the journal stays.
    """
    if journal.read(subject.layout) is None:
        return
    if subject.live is None:
        await wait_for_orphans(subject.layout.vm)
        await stop_helpers(strays(subject.layout))
    else:
        await _calm(subject)
    entry = journal.read(subject.layout)
    assert entry is not None
    subject.tell(await _finish(subject, entry), Level.WARNING)


async def _calm(subject: Subject) -> None:
    """End what still runs in QEMU for a supervisor that is gone, and let the guest go on."""
    assert subject.live is not None
    qmp = subject.live.instance.qmp
    with suppress(QemuError, DeadlineError):
        await jobs.cancel(qmp)
        await copying.drop_targets(qmp)
    await release(subject.live)


async def _finish(subject: Subject, entry: journal.Entry) -> str:
    layout, operation, tag = subject.layout, entry["operation"], str(entry.get("tag", ""))
    match operation:
        case snapshots.CREATE if snapshot.folder(layout, tag).exists():
            journal.clear(layout)
            return f"the snapshot '{tag}' is complete"
        case snapshots.CREATE:
            await snapshots.take_back(subject, tag)
            return f"the snapshot '{tag}' was not completed; it was taken back"
        case snapshots.REMOVE:
            await snapshots.finish_removal(subject, tag)
            return f"the snapshot '{tag}' is removed now"
        case snapshots.RESTORE:
            await snapshots.restore(subject, tag)
            return f"the machine is back at the snapshot '{tag}' now"
        case backup.BACKUP:
            await backup.clean_up(subject, subject.hand, entry)
            return f"the backup to {entry['folder']} was not completed; what it left was removed"
        case still.STILL:
            journal.clear(layout)
            return f"the copy of disks to {entry['folder']} was not completed; it was given up"
        case clone if clone == seal.SEAL:
            return await seal.finish(subject, entry)
        case growth if growth == grow.GROW:
            journal.clear(layout)
            await grow.grow(subject, int(entry["size"]), index=int(entry["index"]))
            return f"disk{entry['index']} is as large as was asked for"
        case _:
            shutil.rmtree(snapshot.staging(layout), ignore_errors=True)
            raise MediaError("journal-odd", f"{layout.storage_journal} tells of '{operation}', which this version does not know")
