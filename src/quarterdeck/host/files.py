"""Reads small files of /proc, /sys and /etc, whatever they hold.

A probe looks at what a host shows it: files may be missing, masked by a container, or replaced by something
odd. Then the answer is empty, never an exception and never a wait. ``root`` stands for ``/`` in tests.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_LIMIT = 1 << 20
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)


def below(root: Path, path: str) -> Path:
    """Return absolute ``path`` as it is found under ``root``."""
    return root / path.lstrip("/")


def read_text(root: Path, path: str) -> str:
    """Return the text of a file without surrounding white space; empty when it cannot be read. At most 1 MiB is read."""
    try:
        # Without O_NONBLOCK the open of a pipe that nobody writes to would wait for ever.
        handle = os.open(below(root, path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    try:
        content = _read(handle)
    except OSError:
        return ""
    finally:
        os.close(handle)
    return content.decode(errors="replace").replace("\0", " ").strip()


def _read(handle: int) -> bytes:
    content = b""
    while len(content) < _LIMIT and (chunk := os.read(handle, _LIMIT - len(content))):
        content += chunk
    return content


def read_number(root: Path, path: str) -> int | None:
    """Return the whole number that a file holds, or None when it holds anything else (such as ``max``)."""
    return number(read_text(root, path))


def number(text: str) -> int | None:
    """Return the number that ``text`` is, or None; at most 20 digits, as the kernel's 64-bit counters have."""
    return int(text) if _NUMBER.fullmatch(text) else None


def exists(root: Path, path: str) -> bool:
    """Whether something is there; False also when we may not look."""
    try:
        return below(root, path).exists()
    except (OSError, ValueError):
        return False


def entries(root: Path, path: str) -> list[str]:
    """Return the sorted names in a folder; empty when it cannot be listed."""
    try:
        return sorted(os.listdir(below(root, path)))
    except (OSError, ValueError):
        return []
