"""What can be known of an entry's interpreter from its path.

The kernel keeps the interpreters of F entries open and shows only the path that they were registered by: in which root folder
that was, and whether the file there is still the same, it does not say. The time of the registration is the change time of the
entry's file, and a file that changed later than that may not be the one that was registered.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.host.binfmt_misc import FOLDER, Entry


class FileState(StrEnum):
    """How the file at the path compares with the one that is registered."""

    SAME = "same"
    """Nothing says that it was replaced."""
    CHANGED = "changed"
    """It was changed or replaced after the registration; an F entry still runs the old one."""
    MISSING = "missing"
    """There is nothing at that path here."""
    UNKNOWN = "unknown"
    """The path means nothing to us: we are in a container, and the entry may come from outside."""


@dataclass(frozen=True)
class Found:
    """An entry and what is known about it beside what the kernel says.

    ``registered`` is when, in seconds since the epoch (0: unknown); ``file`` compares the interpreter's file.
    """

    entry: Entry
    registered: float = 0.0
    file: FileState = FileState.UNKNOWN


def look(entries: list[Entry], folder: Path = FOLDER, *, container: str = "") -> list[Found]:
    """Return what is known about each entry; ``container`` is the container manager that we are under, empty outside."""
    return [_look(entry, folder, container) for entry in entries]


def _look(entry: Entry, folder: Path, container: str) -> Found:
    registered = _changed(folder / entry.name)
    return Found(entry, registered, _state(entry, registered, container))


def _state(entry: Entry, registered: float, container: str) -> FileState:
    changed = _changed(Path(entry.interpreter))
    if changed == 0.0:
        return FileState.UNKNOWN if container else FileState.MISSING
    if registered == 0.0:
        return FileState.UNKNOWN
    if changed > registered:
        return FileState.CHANGED
    return FileState.UNKNOWN if container else FileState.SAME


def _changed(path: Path) -> float:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0.0
    return found.st_ctime if stat.S_ISREG(found.st_mode) else 0.0
