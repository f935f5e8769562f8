"""From what is asked for, a checksum or a URL, to the entry that holds it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.model import Wanted

_FOLDER = ".index"


def subject(wanted: Wanted, member: str | None) -> str:
    """Return the name of a request: its checksum where there is one, since that says what comes, else signer and URL."""
    if wanted.checksum is not None:
        return with_member(str(wanted.checksum), member)
    key = wanted.signature.key if wanted.signature is not None else ""
    return with_member(f"url:{key}:{shown(wanted.urls[0])}", member)


def file_subject(path: Path, member: str | None) -> str:
    """Return the name of a file as it is now; it changes with the file.

    Raises:
        OSError: it cannot be looked at.
    """
    status = os.stat(path)
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return with_member("file:" + ":".join(map(str, state)), member)


def with_member(name: str, member: str | None) -> str:
    """Return the name of one part of what ``name`` names."""
    return f"{name}#{member}" if member else name


def key(name: str) -> str:
    """Return ``name`` as part of a file name."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:40]


class Index:
    """The names of the entries below ``root``; losing it costs a second download, nothing else."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / _FOLDER

    def find(self, name: str) -> Path | None:
        """Return the folder that holds ``name``, or None."""
        try:
            entry = json.loads((self._folder / key(name)).read_bytes())["entry"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        plain = isinstance(entry, str) and entry == os.path.basename(entry) and not entry.startswith(".")
        return self._root / entry if plain and entry else None

    def note(self, name: str, folder: Path) -> None:
        """Remember that ``folder`` holds ``name``.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(exist_ok=True)
        note = self._folder / key(name)
        temporary = note.with_name(f".{note.name}.{os.getpid()}")
        temporary.write_text(json.dumps({"entry": folder.name, "name": name}), encoding="utf-8")
        os.replace(temporary, note)

    def clean(self) -> None:
        """Forget what no folder holds any more."""
        for note in self._folder.glob("*") if self._folder.is_dir() else ():
            try:
                held = (self._root / json.loads(note.read_bytes())["entry"]).is_dir()
            except (OSError, ValueError, KeyError, TypeError):
                held = False
            if not held:
                note.unlink(missing_ok=True)
