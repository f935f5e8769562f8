"""qemu-img that a killed command left running: it works in a session of its own and ends by itself, but has to end first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import DeadlineError

_SECONDS = 600.0


async def wait_for_orphans(folder: Path) -> None:
    """Return when no qemu-img works on files in ``folder`` any more; to be called by who holds the machine's lock.

    Raises:
        DeadlineError: one did not end.
    """
    for orphan in _orphans(f"{folder}/"):
        try:
            async with asyncio.timeout(_SECONDS):
                await orphan.wait()
        except TimeoutError:
            hint = f"end it with: kill {orphan.pid}"
            raise DeadlineError("qemu-img-busy", f"qemu-img (pid {orphan.pid}) still works on a disk", hint=hint) from None


def _orphans(folder: str) -> Iterator[ProcessHandle]:
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = os.path.basename(words[0]) == b"qemu-img" and any(os.fsencode(folder) in word for word in words[1:])
        handle = ProcessHandle.find(int(entry)) if ours else None
        if handle is not None:
            yield handle
