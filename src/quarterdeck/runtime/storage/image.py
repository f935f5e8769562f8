"""What qemu-img does with the disks of a machine at rest.

All paths are absolute. Chains are always given whole, from what was pinned at the first start: names in the headers of disks that a
guest could have written are not followed (QEMU's ``json:`` pseudo-protocol, qemu(1); ``"backing": null`` opens none).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.images import ImageFile
from quarterdeck.core.process import Identity, ProcessError, run, run_async
from quarterdeck.errors import HostError, MediaError, QuarterdeckError
from quarterdeck.runtime.storage.disks import MachineDisk

_SECONDS = 600.0

Options = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """What a disk holds besides data: ``virtual_size`` in bytes, the names of its snapshots and of its records of changes (bitmaps).

    ``usable`` are those bitmaps that QEMU closed properly; the others say nothing.
    """

    virtual_size: int
    snapshots: tuple[str, ...]
    bitmaps: tuple[str, ...]
    usable: frozenset[str]


def alone(path: Path, format: str) -> str:
    """Return the file name for qemu-img that opens this one file and nothing below it."""
    return _json({"driver": format, "file": _file(str(path)), **({"backing": None} if format == "qcow2" else {})})


def whole(image: ImageFile) -> str:
    """Return the file name for qemu-img that opens an image with its chain."""
    return _json(_chain(image))


async def look(disk: MachineDisk, identity: Identity | None = None) -> Content:
    """Return what ``disk`` holds. Raises: MediaError when it cannot be read."""
    done = await _img(["info", "--force-share", "--output=json", alone(disk.path, disk.format)], f"{disk.id} cannot be read", identity)
    found = json.loads(done)
    data = found.get("format-specific", {}).get("data", {})
    bitmaps = {str(item["name"]): "in-use" not in item.get("flags", ()) for item in data.get("bitmaps", ())}
    return Content(
        int(found["virtual-size"]),
        tuple(str(item["name"]) for item in found.get("snapshots", ())),
        tuple(bitmaps),
        frozenset(name for name, usable in bitmaps.items() if usable),
    )


async def unwritten(disk: MachineDisk, identity: Identity | None) -> bool:
    """Whether nothing has been written to an overlay since it was made."""
    words = ["qemu-img", "check", "--output=json", alone(disk.path, disk.format)]
    done = await run_async(words, timeout=_SECONDS, check=False, identity=identity)
    return done.returncode == 0 and not json.loads(done.stdout).get("allocated-clusters", 0)


async def snapshot(disk: MachineDisk, action: str, name: str, identity: Identity | None) -> None:
    """Make (``-c``), go back to (``-a``) or delete (``-d``) snapshot ``name`` of one disk."""
    await _img(["snapshot", "-q", action, name, alone(disk.path, disk.format)], f"the snapshot of {disk.id} failed", identity)


async def forget_changes(disk: MachineDisk, names: Sequence[str], identity: Identity | None) -> None:
    """Remove bitmaps."""
    for name in names:
        await _img(["bitmap", "--remove", alone(disk.path, disk.format), name], f"{disk.id} cannot be changed", identity)


async def mend_leaks(disk: MachineDisk, identity: Identity | None) -> None:
    """Give back the space that a killed QEMU left allocated; qemu-img check exits with 3 where only leaks were found."""
    words = ["qemu-img", "check", "-q", "-r", "leaks", alone(disk.path, disk.format)]
    await run_async(words, timeout=_SECONDS, check=False, identity=identity)


async def copy(source: ImageFile, target: Path) -> None:
    """Copy what the guest sees of ``source`` to the new qcow2 file ``target``, which stands on nothing.

    Raises:
        MediaError: it cannot be read.
        HostError: there is no space.
    """
    words = ["convert", "-t", "writeback", "-O", "qcow2", whole(source), os.fspath(target)]
    await _img(words, f"{source.path} cannot be copied", timeout=None)


async def resize(disk: MachineDisk, size: int, identity: Identity | None) -> None:
    """Make a disk ``size`` bytes large; it never gets smaller."""
    await _img(["resize", "-q", alone(disk.path, disk.format), str(size)], f"{disk.id} cannot be made larger", identity)


async def create(path: Path, size: int, *, backing: tuple[str, str] | None = None) -> None:
    """Make an empty qcow2 file; ``backing`` is a name for its header, which is not opened, and the format of that file."""
    await _img(_create_words(path, size, backing), f"{path} cannot be made")


def create_at_once(path: Path, size: int, *, backing: tuple[str, str]) -> None:
    """Do as :func:`create` does, for callers that wait: it takes some milliseconds."""
    try:
        run(["qemu-img", *_create_words(path, size, backing)], timeout=_SECONDS)
    except ProcessError as error:
        raise _failed(error, f"{path} cannot be made") from error


def _create_words(path: Path, size: int, backing: tuple[str, str] | None) -> list[str]:
    below = [] if backing is None else ["-u", "-b", backing[0], "-F", backing[1]]
    return ["create", "-q", "-f", "qcow2", *below, os.fspath(path), str(size)]


async def _img(words: Sequence[str], what: str, identity: Identity | None = None, *, timeout: float | None = _SECONDS) -> bytes:
    try:
        done = await run_async(["qemu-img", *words], timeout=timeout, identity=identity)
    except ProcessError as error:
        raise _failed(error, what) from error
    return done.stdout


def _failed(error: ProcessError, what: str) -> QuarterdeckError:
    if "No space left" in error.reason:
        return HostError("disk-full", what, reason="the file system is full", hint="make room and try again")
    return MediaError("disk-operation-failed", what, reason=error.reason, hint=error.hint)


def _chain(image: ImageFile) -> Options:
    options: Options = {"driver": image.format, "file": _file(image.path)}
    if image.format == "qcow2":
        options["backing"] = None if image.backing is None else _chain(image.backing)
    return options


def _file(path: str) -> Options:
    return {"driver": "file", "filename": path}


def _json(options: Options) -> str:
    return "json:" + json.dumps(options)
