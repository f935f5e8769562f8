"""Files that are never half written, and locks that die with their holder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_atomic(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write ``content`` to ``path`` so that a reader sees the old or the new file, also after a power cut."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(path.parent)


def write_json(path: Path, value: Any, *, mode: int = 0o600) -> None:
    """Write ``value`` as JSON, atomically."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    write_atomic(path, f"{text}\n".encode(), mode=mode)


def update_json(path: Path, changes: Mapping[str, Any], *, mode: int = 0o600) -> None:
    """Lay ``changes`` over the JSON object in ``path``; whoever else updates another part of it at the same time loses nothing.

    A file that is missing or damaged counts as empty. The lock is on the folder, so nothing is left behind.

    Raises:
        OSError: the file cannot be read or written.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        write_json(path, {**_json_object(path), **changes}, mode=mode)
    finally:
        os.close(folder)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def sync_directory(path: Path) -> None:
    """Make renames inside ``path`` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder (fsync(2)); the file itself is safe.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def sync_file(path: Path, *, mode: int | None = None) -> None:
    """Make the content of a file durable, after giving it ``mode``; never one behind a link.

    Raises:
        OSError: it cannot be opened, or the file system failed.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if mode is not None:
            os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def allocated(path: Path) -> int:
    """Return the bytes that a file takes on this host, which are less than its size where it is sparse. Raises: OSError."""
    return os.stat(path).st_blocks * 512  # stat(2): always units of 512 bytes


def try_lock(path: Path) -> int | None:
    """Take the lock file ``path`` and return its descriptor, or None when another process holds it.

    The kernel drops the lock when the last descriptor closes, so it cannot outlive its holder.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` inside the ``with`` block; waits while another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
