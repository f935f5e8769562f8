"""Logs in the machine's folder: made before QEMU runs, rotated at each start, read without trusting who writes them.

The folder ``vm`` belongs to the user that QEMU runs as. A guest that broke out of QEMU could put a symbolic
link or a pipe in a log's place, so files there are opened without following links, and only when regular.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from quarterdeck.core import fs
from quarterdeck.core.process import Identity

_KEPT_BYTES = 16 << 20
_LARGEST_BYTES = 64 << 20


def open_fresh(path: Path, identity: Identity | None) -> int:
    """Move an earlier log aside as ``NAME.1`` and return a descriptor that appends to a new, empty one of mode 0600."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, path.with_name(f"{path.name}.1"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if identity is not None:
        os.fchown(handle, identity.uid, identity.gid)
    return handle


def limit(path: Path, largest: int = _LARGEST_BYTES) -> bool:
    """Cut a log that has grown past ``largest`` bytes, its end kept aside as ``NAME.1``; return whether it was cut.

    QEMU writes the guest's serial output without end; it appends, so cutting is safe while it writes.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size <= largest:
            return False
        fs.write_atomic(path.with_name(f"{path.name}.1"), tail(path, _KEPT_BYTES))
        os.ftruncate(file.fileno(), 0)
    return True


def tail(path: Path, size: int) -> bytes:
    """Return at most the last ``size`` bytes of ``path``; nothing when it is missing or no regular file."""
    try:
        handle = open_regular(path)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        wanted = max(0, min(size, _KEPT_BYTES))
        file.seek(max(0, os.fstat(handle).st_size - wanted))
        return file.read(wanted)


def tail_text(path: Path, *, lines: int) -> str:
    """Return the last lines of a log as text."""
    text = tail(path, 16 * 1024).decode(errors="replace")
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def open_regular(path: Path) -> int:
    """Open ``path`` for reading, never through a symbolic link and never a pipe or device.

    Raises:
        OSError: it is missing, a link, or no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is not a regular file")
    return handle
