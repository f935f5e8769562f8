"""Backups in a folder: one folder for each, which names the one that it stands on, and checksums of everything in it.

``ID/backup.json`` makes a backup exist. The disks of an incremental one hold only what changed since its parent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core import fs
from quarterdeck.errors import MediaError, UsageError

FILE = "backup.json"
_SCHEMA = 1
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_LOCAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SavedDisk:
    """One disk of a backup: its number in the machine, its file, its size in bytes as the guest sees it.

    ``incremental`` says that only what changed is in it.
    """

    index: int
    file: str
    virtual_size: int
    incremental: bool

    @property
    def id(self) -> str:
        """The disk's name."""
        return f"disk{self.index}"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """One backup. ``created`` is in seconds since the epoch, ``parent`` the id of what its changes count from, or None.

    ``files`` maps each file to its size in bytes and SHA256; ``spec``, ``assets`` and ``secrets`` are what the machine is made of.
    """

    id: str
    machine: str
    created: float
    parent: str | None
    consistency: str
    disks: tuple[SavedDisk, ...]
    left_out: tuple[str, ...]
    files: dict[str, tuple[int, str]]
    spec: dict[str, Any]
    assets: dict[str, Any]
    secrets: dict[str, Any]

    @property
    def kind(self) -> str:
        """``incremental`` when a disk of it holds changes only."""
        return "incremental" if any(disk.incremental for disk in self.disks) else "full"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    def to_json(self) -> dict[str, Any]:
        """Return what people and scripts may see of it: all but the machine's secrets."""
        shown = ("id", "machine", "created", "parent", "consistency", "kind", "size")
        return {**{name: getattr(self, name) for name in shown}, "disks": [disk.id for disk in self.disks], "left_out": list(self.left_out)}


@dataclass(frozen=True)
class Flaw:
    """What is wrong with one backup."""

    backup: str
    text: str


def write(folder: Path, backup: Backup) -> None:
    """Complete the backup in ``folder`` by its manifest."""
    raw = {"schema": _SCHEMA, **backup.__dict__, "disks": [disk.__dict__ for disk in backup.disks]}
    raw = json.loads(json.dumps(raw))
    fs.write_json(folder / FILE, {**raw, "checksum": _checksum(raw)})


def load_all(folder: Path) -> list[Backup]:
    """Return all backups in ``folder``, oldest first.

    Raises:
        UsageError: there is no such folder.
        MediaError: the manifest of one is damaged.
    """
    return sorted((_read(path) for path in manifests(folder)), key=lambda one: one.created)


def manifests(folder: Path) -> list[Path]:
    """Return the manifests in ``folder``; those of the same second are in no order."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise UsageError(
            "no-backups",
            f"{folder} cannot be read",
            reason=error.strerror or "",
            hint="name the folder that 'qd backup NAME --to' wrote to",
        ) from None
    return [folder / name / FILE for name in names if _ID.fullmatch(name) and (folder / name / FILE).exists()]


def lineage(known: list[Backup], backup: Backup, disk: SavedDisk) -> list[tuple[Backup, SavedDisk]]:
    """Return what is needed of a disk, the newest first and a full copy last.

    Raises:
        MediaError: a backup in between is missing.
    """
    by_id = {one.id: one for one in known}
    found = [(backup, disk)]
    while found[-1][1].incremental:
        child = found[-1][0]
        parent = by_id.get(child.parent or "")
        below = None if parent is None else next((one for one in parent.disks if one.index == disk.index), None)
        if parent is None or below is None or len(found) > len(known):
            reason = f"{disk.id} of {child.id} holds only what changed since {child.parent}, which is missing"
            raise MediaError(
                "backup-incomplete", f"the backup {backup.id} cannot be used", reason=reason, hint="put it back, or use an older one"
            )
        found.append((parent, below))
    return found


def flaws(folder: Path) -> Iterator[Flaw]:
    """Yield all that is wrong with the backups in ``folder``; every byte is read."""
    known: list[Backup] = []
    for path in manifests(folder):
        try:
            known.append(_read(path))
        except MediaError as error:
            yield Flaw(path.parent.name, error.reason or error.message)
    for backup in known:
        yield from (Flaw(backup.id, text) for text in damage(folder, backup))
        for disk in backup.disks:
            try:
                lineage(known, backup, disk)
            except MediaError as error:
                yield Flaw(backup.id, error.reason)


def damage(folder: Path, backup: Backup) -> Iterator[str]:
    """Yield what is wrong with the files of one backup."""
    for name, (size, digest) in sorted(backup.files.items()):
        path = folder / backup.id / name
        try:
            found = path.stat().st_size
            if found != size:
                yield f"{name} has {found} bytes instead of {size}"
            elif sha256(path) != digest:
                yield f"{name} is damaged: its SHA256 is another"
        except OSError as error:
            yield f"{name}: {error.strerror}"


def sha256(path: Path) -> str:
    """Return the SHA256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _read(path: Path) -> Backup:
    try:
        raw = json.loads(path.read_bytes())
        checksum = raw.pop("checksum")
        if raw.pop("schema") != _SCHEMA or checksum != _checksum({"schema": _SCHEMA, **raw}):
            raise ValueError("its checksum is another")
        disks = tuple(SavedDisk(**disk) for disk in raw["disks"])
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in raw["files"].items()}
        backup = Backup(**{**raw, "disks": disks, "files": files, "left_out": tuple(raw["left_out"])})
        if backup.id != path.parent.name or not all(map(_LOCAL.fullmatch, files)) or {disk.file for disk in disks} - set(files):
            raise ValueError("it names files that it cannot have")
    except OSError as error:
        reason = f"{FILE}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{FILE} is damaged: {error}"
    else:
        return backup
    raise MediaError("backup-damaged", f"the backup {path.parent.name} cannot be used", reason=reason, hint="use an older one")


def _checksum(raw: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(raw, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
