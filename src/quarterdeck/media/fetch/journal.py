"""What is known of a download that was interrupted, kept beside its file.

After ``kill -9`` everything that was handed to the kernel is still there. After a power cut only what was synchronised
is, so both sets of ranges are kept, and the id of the boot tells which one counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from quarterdeck.core import clock
from quarterdeck.core.fs import write_json
from quarterdeck.media.fetch.ranges import Range, Ranges

_SCHEMA = 1


@dataclass(frozen=True)
class Identity:
    """What tells one state of a file on a server from another; RFC 9110, 8.8.

    ``place`` is the host and path that it came from in the end, ``total`` its size in bytes, None if not told.
    """

    place: str = ""
    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def if_range(self) -> str:
        """The value of If-Range; weak tags cannot be used there (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def same(self, other: Identity, *, verifiable: bool) -> bool:
        """Whether both can be the same file; mirrors mark the same file differently, which is fine where the end is verified."""
        if self.total != other.total:
            return False
        if self.place != other.place:
            return verifiable
        if self.etag and other.etag:
            return self.etag == other.etag
        return not (self.modified and other.modified) or self.modified == other.modified


@dataclass(frozen=True)
class Journal:
    """The identity of a file and which of its bytes are there."""

    identity: Identity
    written: tuple[Range, ...]
    durable: tuple[Range, ...] = ()

    def save(self, path: Path, *, sync: bool) -> None:
        """Write it beside the file; with ``sync`` so that it survives a power cut.

        Raises:
            OSError: it cannot be written.
        """
        document = {"schema": _SCHEMA, "boot": clock.boot_id(), **asdict(self)}
        if sync:
            write_json(path, document)
            return
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        os.replace(temporary, path)


def load(path: Path, part: Path) -> Journal | None:
    """Return the journal at ``path`` if it fits the file ``part``; what is damaged counts as absent."""
    try:
        raw = json.loads(path.read_bytes())
        if raw["schema"] != _SCHEMA:
            return None
        there = raw["written"] if raw["boot"] == clock.boot_id() else raw["durable"]
        journal = Journal(
            _identity(raw["identity"]), tuple(Ranges(_pairs(there)).as_list()), tuple(Ranges(_pairs(raw["durable"])).as_list())
        )
        return journal if Ranges(journal.written).end <= part.stat().st_size else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def usable(journal: Journal, *, verifiable: bool) -> bool:
    """Whether a later run may go on with it: something must be able to tell that the file changed meanwhile."""
    return journal.identity.total is not None and (verifiable or bool(journal.identity.if_range))


def continued(journal: Journal, written: Ranges) -> Journal:
    """Return the journal with more bytes written."""
    return replace(journal, written=tuple(written.as_list()))


def _identity(raw: dict[str, Any]) -> Identity:
    total = raw["total"]
    if total is not None and (not isinstance(total, int) or total < 0):
        raise ValueError("no size")
    return Identity(str(raw["place"]), str(raw["etag"]), str(raw["modified"]), total)


def _pairs(raw: list[Any]) -> list[Range]:
    return [(int(start), int(end)) for start, end in raw]
