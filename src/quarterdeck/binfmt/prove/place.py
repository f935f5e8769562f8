"""An empty root for the programs: a fresh folder on a file system that lets programs be executed, also set-uid ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.errors import HostError

_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - what is made in them is a new folder of mode 0700


@dataclass(frozen=True)
class Place:
    """A folder for temporary files. ``nosuid`` says that set-uid programs do not work there, ``passed_over`` which were noexec."""

    base: Path
    nosuid: bool
    passed_over: tuple[Path, ...]


def choose_place(folders: Iterable[Path] | None = None) -> Place:
    """Return the first folder that has neither noexec nor nosuid, else the first without noexec.

    Raises:
        HostError: programs can be executed in none of them.
    """
    usable, passed_over = [], []
    for folder in folders if folders is not None else _candidates():
        flags = _flags(folder)
        if flags is None:
            continue
        if flags & os.ST_NOEXEC:
            passed_over.append(folder)
        elif not flags & os.ST_NOSUID:
            return Place(folder, nosuid=False, passed_over=tuple(passed_over))
        else:
            usable.append(folder)
    if usable:
        return Place(usable[0], nosuid=True, passed_over=tuple(passed_over))
    looked_at = ", ".join(map(str, passed_over)) or "there is none"
    raise HostError(
        "no-folder-for-programs",
        "no folder for temporary files lets programs be executed",
        reason=f"mounted noexec: {looked_at}" if passed_over else "none can be written",
        hint="set TMPDIR to a folder on a file system that is mounted without noexec",
    )


def _candidates() -> list[Path]:
    chosen = [os.environ[name] for name in ("TMPDIR", "XDG_RUNTIME_DIR", "HOME") if os.environ.get(name)]
    first = chosen[:1] if os.environ.get("TMPDIR") else []
    return list(dict.fromkeys(Path(folder) for folder in [*first, *_FOLDERS, *chosen]))


def _flags(folder: Path) -> int | None:
    """Return the mount flags of a folder that we can write, or None."""
    try:
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            return None
        return os.statvfs(folder).f_flag
    except OSError:
        return None


@contextlib.contextmanager
def empty_root(base: Path) -> Iterator[Path]:
    """Make an empty folder that other users can enter only when it is their root, and remove it with all that came into it.

    Raises:
        HostError: there is no room for it.
    """
    try:
        closed = Path(tempfile.mkdtemp(prefix="quarterdeck-prove-", dir=base))
    except OSError as error:
        raise _full(base, error) from None
    try:
        root = closed / "root"
        root.mkdir()
        root.chmod(0o755)
        yield root
    finally:
        shutil.rmtree(closed, ignore_errors=True)


def put(file: Path, program: bytes) -> None:
    """Write an executable file.

    Raises:
        HostError: there is no room for it.
    """
    try:
        file.write_bytes(program)
        file.chmod(0o755)
    except OSError as error:
        raise _full(file.parent, error) from None


def _full(folder: Path, error: OSError) -> HostError:
    return HostError(
        "programs-not-written", f"{folder} cannot be written", reason=error.strerror or "", hint="set TMPDIR to another folder"
    )
