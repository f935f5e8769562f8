"""The guest's screen and keyboard: screenshots, key presses, and the way to QEMU's VNC server."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.errors import QemuError, UsageError
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.logs import open_regular

_LARGEST_PNG = 64 << 20
_MOST_KEYS = 16
_KEY = re.compile(r"[a-z0-9_]{1,32}")


async def take(instance: Instance) -> bytes:
    """Return the screen as PNG.

    Raises:
        QemuError: QEMU cannot write it, or wrote something else.
    """
    path = instance.layout.vm / f"screen-{secrets.token_hex(4)}.png"
    try:
        await instance.qmp.screendump(path)
        content = await asyncio.to_thread(_read, path)
    finally:
        path.unlink(missing_ok=True)
    if not content.startswith(b"\x89PNG"):
        raise QemuError("screenshot-failed", "QEMU wrote no picture of the screen")
    return content


def _read(path: Path) -> bytes:
    """Read what QEMU wrote, with no trust in it: its folder belongs to QEMU's user."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(_LARGEST_PNG)
    except OSError as error:
        raise QemuError("screenshot-failed", "QEMU wrote no picture of the screen", reason=str(error)) from None


async def press(instance: Instance, keys: Sequence[str]) -> None:
    """Press and release one combination of QEMU key names.

    Raises:
        UsageError: there are none, too many, or a name that QEMU does not know.
    """
    if not 0 < len(keys) <= _MOST_KEYS or not all(_KEY.fullmatch(key) for key in keys):
        raise UsageError("invalid-keys", "give 1 to 16 QEMU key names", hint="such as ctrl, alt, delete")
    try:
        await instance.qmp.send_keys(keys)
    except QemuError as error:
        if error.key != "qmp-refused":
            raise
        raise UsageError("invalid-keys", "QEMU does not know one of these keys", reason=error.reason) from None


async def open_vnc(instance: Instance) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to QEMU's VNC server, which serves several clients at once.

    Raises:
        UsageError: the machine has no VNC screen now.
    """
    path = instance.socket("vnc")
    if path is None:
        raise UsageError("no-screen", "the machine has no VNC screen")
    try:
        return await asyncio.open_unix_connection(str(path), limit=1 << 20)
    except OSError as error:
        raise UsageError("no-screen", "the machine's screen cannot be reached now", reason=error.strerror or "") from None
