"""What is known of a snapshot, and the folders that keep it: ``snapshots/TAG/snapshot.json`` makes it exist."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core import clock, fs
from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout

TAG = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_FILE = "snapshot.json"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One snapshot: ``created`` in seconds since the epoch, whether it has the guest's memory, and the disks in it.

    ``consistency`` is ``stopped`` (the machine was at rest), ``memory`` (the guest goes on from it), ``agent`` (the guest's file systems
    were frozen) or ``crash`` (as after a power cut).
    """

    tag: str
    created: float
    memory: bool
    consistency: str
    disks: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the API, the listing and the file."""
        return {**self.__dict__, "disks": list(self.disks)}


def inner_name(tag: str) -> str:
    """Return the name that the snapshot has inside the disks: theirs may have names of their own, and numbers are taken for ids."""
    return f"qd-{tag}"


def load_all(layout: MachineLayout) -> list[Snapshot]:
    """Return all complete snapshots, oldest first."""
    folders = sorted(layout.snapshots.glob("*/" + _FILE)) if layout.snapshots.is_dir() else []
    found = [_read(path) for path in folders if not path.parent.name.startswith(".")]
    return sorted((one for one in found if one is not None), key=lambda one: one.created)


def load(layout: MachineLayout, tag: str) -> Snapshot:
    """Return one snapshot.

    Raises:
        UsageError: there is none of that name.
    """
    known = load_all(layout)
    for one in known:
        if one.tag == tag:
            return one
    names = ", ".join(one.tag for one in known)
    raise UsageError("unknown-snapshot", f"there is no snapshot '{tag}'", hint=f"there are: {names}" if names else "there are none yet")


def fresh_tag(layout: MachineLayout, tag: str | None) -> str:
    """Return the name of a new snapshot; without ``tag`` it is made from the time.

    Raises:
        UsageError: it is taken, or no name.
    """
    chosen = tag if tag is not None else clock.stamp()
    if not re.fullmatch(TAG, chosen):
        hint = "letters, digits, '.', '_' and '-', at most 63, beginning with a letter or digit"
        raise UsageError("invalid-tag", f"'{chosen}' cannot be the name of a snapshot", hint=hint)
    if folder(layout, chosen).exists():
        hint = f"remove it first: qd snapshot rm {layout.root.name} {chosen}"
        raise UsageError("snapshot-exists", f"there is a snapshot '{chosen}' already", hint=hint)
    return chosen


def folder(layout: MachineLayout, tag: str) -> Path:
    """Return where a snapshot's own files are kept."""
    return layout.snapshots / tag


def staging(layout: MachineLayout) -> Path:
    """Return the folder of a snapshot that is being made or removed; there is never more than one."""
    return layout.snapshots / ".staging"


def stage(layout: MachineLayout) -> Path:
    """Return an empty staging folder."""
    layout.snapshots.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(staging(layout), ignore_errors=True)
    staging(layout).mkdir(mode=0o700)
    return staging(layout)


def publish(layout: MachineLayout, made: Snapshot) -> None:
    """Let the staged snapshot exist, at once and for good."""
    fs.write_json(staging(layout) / _FILE, made.to_json())
    os.rename(staging(layout), folder(layout, made.tag))
    fs.sync_directory(layout.snapshots)


def withdraw(layout: MachineLayout, tag: str) -> None:
    """Let a snapshot exist no longer; its space inside the disks is given back afterwards. May be repeated."""
    if folder(layout, tag).exists():
        shutil.rmtree(staging(layout), ignore_errors=True)
        os.rename(folder(layout, tag), staging(layout))
        fs.sync_directory(layout.snapshots)


def _read(path: Path) -> Snapshot | None:
    try:
        raw = json.loads(path.read_bytes())
        return Snapshot(**{**raw, "disks": tuple(raw["disks"])})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
