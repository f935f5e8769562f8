"""Asking the kernel to begin with what is to be written, so that little is left to wait for in the end."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

_SYNC_FILE_RANGE_WRITE = 2
"""Linux, include/uapi/linux/fs.h: start writing what is dirty, wait for nothing."""


def begin_writing(handle: int) -> None:
    """Start writing the file of ``handle``: sync_file_range(2). It makes nothing durable, and whether it works changes nothing but time."""
    if (sync_file_range := _find()) is not None:
        sync_file_range(handle, ctypes.c_int64(0), ctypes.c_int64(0), _SYNC_FILE_RANGE_WRITE)


@functools.cache
def _find() -> Any:
    """Return libc's function; None where it has none."""
    return getattr(ctypes.CDLL(None), "sync_file_range", None)
