"""One member of an archive, and what its name may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from quarterdeck.media.packing.failures import shown, unsafe
from quarterdeck.media.packing.window import Reader

_NAME_MAX = 4096


class EntryKind(StrEnum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "device or pipe"


class Nothing:
    """The content of a member that has none."""

    def read(self, size: int) -> bytes:
        """Return ``b""``."""
        return b""


@dataclass(frozen=True)
class Entry:
    """A member as the archive calls it; ``size`` in bytes is None when it only shows at the end."""

    name: str
    kind: EntryKind
    reader: Reader = field(default_factory=Nothing)
    size: int | None = 0


def plain_name(archive: str, entry: Entry) -> str:
    """Return the member's name without ``./`` and with ``/`` between folders, as Windows programs do not always write it.

    No name is ever used as a path; but an archive that tries is not to be trusted.

    Raises:
        MediaError: the name leads out of the archive, or the member is a link, a device or a pipe.
    """
    name = entry.name.replace("\\", "/")
    label = shown(entry.name)
    if entry.kind in (EntryKind.LINK, EntryKind.SPECIAL):
        raise unsafe(archive, f"its member '{label}' is a {entry.kind.value}")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise unsafe(archive, f"its member '{label}' has an absolute name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise unsafe(archive, f"its member '{label}' would leave the folder")
    if "\x00" in name or len(name) > _NAME_MAX or (not parts and entry.kind is EntryKind.FILE):
        raise unsafe(archive, f"a member has a name that cannot be: '{label}'")
    return "/".join(parts)
