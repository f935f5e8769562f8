"""Small changes inside a disk, done the same way whether QEMU has it open or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from quarterdeck.core.process import Identity
from quarterdeck.errors import QemuError
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.storage import image
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.image import Content

_SECONDS = 300.0


class Hand(Protocol):
    """Reaches into the disks of one machine."""

    async def look(self, disk: MachineDisk) -> Content:
        """Return what is in the disk."""

    async def delete_snapshot(self, disk: MachineDisk, name: str) -> None: ...

    async def forget_changes(self, disk: MachineDisk, names: Sequence[str]) -> None:
        """Remove bitmaps."""

    async def resize(self, disk: MachineDisk, size: int) -> None:
        """Grow the disk to ``size`` bytes."""


class AtRest:
    """Works with qemu-img as the user that QEMU runs as."""

    def __init__(self, identity: Identity | None) -> None:
        self._identity = identity

    async def look(self, disk: MachineDisk) -> Content:
        return await image.look(disk, self._identity if not disk.in_place else None)

    async def delete_snapshot(self, disk: MachineDisk, name: str) -> None:
        await image.snapshot(disk, "-d", name, self._identity)

    async def forget_changes(self, disk: MachineDisk, names: Sequence[str]) -> None:
        await image.forget_changes(disk, names, self._identity)

    async def resize(self, disk: MachineDisk, size: int) -> None:
        await image.resize(disk, size, self._identity if not disk.in_place else None)


class Running:
    """Works through the QEMU that has the disks open."""

    def __init__(self, qmp: Qmp) -> None:
        self._qmp = qmp

    async def look(self, disk: MachineDisk) -> Content:
        node = await _node(self._qmp, disk.id)
        found = node.get("image", {})
        bitmaps = {str(item.get("name", "")): item.get("inconsistent") is not True for item in node.get("dirty-bitmaps", ())}
        return Content(
            int(found["virtual-size"]),
            tuple(str(item["name"]) for item in found.get("snapshots", ())),
            tuple(name for name in bitmaps if name),
            frozenset(name for name, usable in bitmaps.items() if usable and name),
        )

    async def delete_snapshot(self, disk: MachineDisk, name: str) -> None:
        await self._qmp.execute("blockdev-snapshot-delete-internal-sync", {"device": disk.id, "name": name}, timeout=_SECONDS)

    async def forget_changes(self, disk: MachineDisk, names: Sequence[str]) -> None:
        for name in names:
            await self._qmp.execute("block-dirty-bitmap-remove", {"node": disk.id, "name": name}, timeout=_SECONDS)

    async def resize(self, disk: MachineDisk, size: int) -> None:
        await self._qmp.execute("block_resize", {"node-name": disk.id, "size": size}, timeout=_SECONDS)


async def _node(qmp: Qmp, name: str) -> dict[str, Any]:
    nodes = await qmp.execute("query-named-block-nodes", {"flat": True})
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("node-name") == name:
            return node
    raise QemuError(
        "no-such-disk", f"the running machine has no disk '{name}'", hint="the spec was changed since it was started: restart it"
    )
