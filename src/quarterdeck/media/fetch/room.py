"""Whether a file will fit, asked before it is fetched rather than after."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError

RESERVE = 64 << 20
"""Bytes that are left to the rest of the host."""


def check_room(folder: Path, needed: int) -> None:
    """Make sure that ``needed`` more bytes fit into the file system of ``folder``.

    Raises:
        HostError: they do not.
    """
    free = free_space(folder)
    if needed + RESERVE > free:
        raise HostError(
            "disk-full",
            f"{folder} has too little space",
            reason=f"{format_size(needed)} are needed, {format_size(free)} are free, and {format_size(RESERVE)} are left to the host",
            hint="'qd catalogue prune' removes images that no machine uses; or set QUARTERDECK_HOME to a larger disk",
        )


def free_space(folder: Path) -> int:
    """Return the bytes that may still be written below ``folder``."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def write_error(path: Path, error: OSError) -> HostError:
    """Return the error of a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room and run it again: it goes on where it stopped"
        return HostError("disk-full", f"{path.parent} is full", reason=error.strerror or "", hint=hint)
    return HostError("download-not-written", f"{path} cannot be written", reason=error.strerror or str(error))
