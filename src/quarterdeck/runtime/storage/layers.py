"""Layers: disks that are never written again, which machines stand on. Made by clones and restores, removed when nobody needs them.

They lie in ``HOME/layers``, which only its owner may enter: QEMU gets them opened. A flock on the folder's lock, shared by those who
make layers, keeps the sweeper away.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quarterdeck.core import fs

_NEW = ".new-"


@contextmanager
def making(root: Path) -> Iterator[Path]:
    """Yield a new folder below ``root``; what is in it and not published when the block ends is removed. Raises: OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fresh = root / f"{_NEW}{secrets.token_hex(8)}"
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        fresh.mkdir(mode=0o700)
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        os.close(lock)


def final(fresh: Path) -> Path:
    """Return where a new layer will be once it is published."""
    return fresh.with_name(fresh.name.removeprefix(_NEW))


def publish(fresh: Path) -> None:
    """Let a layer exist; from now on its files are never written."""
    for path in fresh.iterdir():
        fs.sync_file(path, mode=0o400)
    os.rename(fresh, final(fresh))
    fs.sync_directory(fresh.parent)


def sweep(root: Path, machines: Path) -> list[str]:
    """Remove layers that no machine stands on and what killed processes left; return their names. Does nothing while one is being made."""
    try:
        lock = fs.try_lock(root / ".lock")
    except OSError:
        return []
    if lock is None:
        return []
    try:
        used = _everything_named(machines)
        doomed = [path for path in root.iterdir() if path.is_dir() and path.name not in used]
        for path in doomed:
            shutil.rmtree(path, ignore_errors=True)
        return [path.name for path in doomed]
    finally:
        os.close(lock)


def users(layer: str, machines: Path) -> list[str]:
    """Return the machines that stand on ``layer``."""
    found = {path.parent.name for path in machines.glob("*/*.json") if not path.parent.name.startswith(".") and layer in _text(path)}
    return sorted(found)


def _everything_named(machines: Path) -> str:
    """Layers have random names: one that no file of a machine mentions is needed by none. Half-made machines count too."""
    return "\n".join(_text(path) for folder in machines.iterdir() if folder.is_dir() for path in folder.glob("*.json"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
