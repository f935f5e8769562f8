"""The storage operations of one machine, one at a time: what the supervisor serves and what commands do themselves while none runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from quarterdeck.core import fs
from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import backup, clone, grow, journal, newcomer, snapshot, snapshots, still
from quarterdeck.runtime.storage.announce import announced
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.recovery import recover
from quarterdeck.runtime.storage.subject import Live, Subject
from quarterdeck.runtime.store import MachineStore, unwritable

_T = TypeVar("_T")


class Storage:
    """The storage of one machine. ``situation`` returns the running machine, None when it is at rest, or raises when it is neither."""

    def __init__(self, layout: MachineLayout, report: Reporter, situation: Callable[[], Live | None] = lambda: None) -> None:
        self._layout = layout
        self._report = report
        self._situation = situation
        self._work: asyncio.Task[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return self._work is not None and not self._work.done()

    def snapshots(self) -> list[dict[str, Any]]:
        """Return the snapshots, oldest first."""
        return [one.to_json() for one in snapshot.load_all(self._layout)]

    async def disks(self, *, private: bool) -> list[dict[str, Any]]:
        """Return the disks that the machine writes, none before its first start; their paths only when ``private``.

        Raises:
            UsageError: the machine is just changing (``wrong-state``).
            QuarterdeckError: a disk cannot be read.
        """
        live = self._situation()
        if assets.pinned(self._layout) is None:
            return []
        subject = Subject.of(self._layout, self._report, live)
        return [await _disk_json(subject, disk, private=private) for disk in subject.disks]

    async def create_snapshot(self, tag: str | None, *, memory: bool = False) -> dict[str, Any]:
        """Make a snapshot and return it. Raises: as :func:`snapshots.create`."""
        return (await self._do(_making(tag), lambda subject: snapshots.create(subject, tag, memory=memory))).to_json()

    async def restore_snapshot(self, tag: str) -> dict[str, Any]:
        """Go back to a snapshot and return it. Raises: as :func:`snapshots.restore`."""
        return (await self._do(f"going back to the snapshot '{tag}'", lambda subject: snapshots.restore(subject, tag))).to_json()

    async def remove_snapshot(self, tag: str) -> None:
        """Delete a snapshot. Raises: as :func:`snapshots.remove`."""
        await self._do(f"removing the snapshot '{tag}'", lambda subject: snapshots.remove(subject, tag))

    async def back_up(self, folder: Path, *, full: bool = False) -> dict[str, Any]:
        """Add a backup to ``folder`` (an absolute path) and return it. Raises: as :func:`backup.make`."""
        return (await self._do("making a backup", lambda subject: backup.make(subject, folder, full=full))).to_json()

    async def clone(self, name: str, *, full: bool = False, ports: Sequence[str] | None = None) -> dict[str, Any]:
        """Make another machine of this one; return its name and which ports it shares with others. Raises: as :mod:`clone`."""
        store = MachineStore(self._layout.root.parent)
        way = clone.full if full else clone.linked
        made = await self._do(f"making the clone '{name}'", lambda subject: way(subject, store, name, ports=ports))
        return {"name": made.root.name, "clashes": newcomer.clashes(store, store.spec(name))}

    async def copy(self, folder: Path, *, number: int | None = None) -> dict[str, Any]:
        """Copy disk ``number``, or all, to the new ``folder`` (an absolute path). Raises: as :func:`still.copy`."""
        return await self._do("copying disks", lambda subject: still.copy(subject, folder, number=number))

    async def grow(self, size: int, *, index: int = 0) -> dict[str, Any]:
        """Make a disk larger; return its number and size in bytes. Raises: as :func:`grow.grow`."""
        grown = await self._do(f"growing disk{index}", lambda subject: grow.grow(subject, size, index=index))
        return {"disk": index, "size": grown}

    async def recover(self, live: Live | None) -> None:
        """Finish or take back what a killed operation left. Raises: as :func:`recovery.recover`."""
        if journal.read(self._layout) is not None:
            await recover(Subject.of(self._layout, self._report, live))

    async def cancel(self) -> None:
        """End the operation that is under way, and wait until what it began is undone."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _do(self, what: str, work: Callable[[Subject], Coroutine[Any, Any, _T]]) -> _T:
        async with self._turn():
            task = asyncio.create_task(self._prepared(what, work))
            self._work = task
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                if task.cancelled():
                    raise UsageError("storage-cancelled", "it was cancelled; what had begun was undone") from None
                task.cancel()
                await asyncio.wait([task])
                raise

    async def _prepared(self, what: str, work: Callable[[Subject], Coroutine[Any, Any, _T]]) -> _T:
        live = self._situation()
        with announced(self._report, what):
            try:
                await self.recover(live)
                return await work(Subject.of(self._layout, self._report, live))
            except OSError as error:  # such as the journal on a full disk
                raise unwritable(error) from error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self.busy:
            raise UsageError(
                "storage-busy", "another snapshot, backup or clone of this machine is under way", hint="try again when it is done"
            )
        yield


def _making(tag: str | None) -> str:
    return "making a snapshot" if tag is None else f"making the snapshot '{tag}'"


async def _disk_json(subject: Subject, disk: MachineDisk, *, private: bool) -> dict[str, Any]:
    content = await subject.hand.look(disk)
    return {
        "disk": disk.index,
        "name": disk.id,
        "format": disk.format,
        "size": content.virtual_size,
        "used": fs.allocated(disk.path),
        "snapshots": disk.keeps_history,
        "path": str(disk.path) if private else None,
    }
