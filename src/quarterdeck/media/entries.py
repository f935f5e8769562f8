"""A folder of images whose entries appear whole: locks, half-made entries and what killed runs left of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quarterdeck.core.fs import sync_directory, try_lock
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import HostError

_POLL_SECONDS = 0.5


class EntryFolder:
    """The folder ``root``; ``above`` are the folders that lead there and are ours too."""

    def __init__(self, root: Path, *above: Path) -> None:
        self.root = root
        self._above = above

    @asynccontextmanager
    async def lock(self, key: str, report: Reporter) -> AsyncIterator[None]:
        """Hold the lock of ``key``; says so when another process holds it.

        Raises:
            HostError: the folder cannot be written.
        """
        handle = await asyncio.to_thread(self._try_lock, key)
        if handle is None:
            report(Step("image", StepStatus.RUNNING, "waiting for another qd that makes the same image"))
        while handle is None:
            await asyncio.sleep(_POLL_SECONDS)
            handle = self._try_lock(key)
        try:
            yield
        finally:
            os.close(handle)

    def _try_lock(self, key: str) -> int | None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # QEMU runs as another user and must be able to walk in.
            for folder in (*self._above, self.root):
                folder.chmod(0o755)
            return try_lock(self.root / f".{key}.lock")
        except OSError as error:
            raise not_writable(self.root, error) from error

    @asynccontextmanager
    async def building(self, key: str) -> AsyncIterator[Path]:
        """Give an empty folder for an entry to be; what killed runs left of the same key goes first. Call it with the lock held.

        Raises:
            HostError: the folder cannot be written.
        """
        folder = await asyncio.to_thread(self._fresh, f".{key}.building-")
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _fresh(self, prefix: str) -> Path:
        try:
            for leftover in self.root.glob(f"{prefix}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            return Path(tempfile.mkdtemp(dir=self.root, prefix=prefix))
        except OSError as error:
            raise not_writable(self.root, error) from error

    def publish(self, folder: Path, name: str) -> Path:
        """Let the entry ``name`` be what was built in ``folder``, and return it. Raises: OSError."""
        folder.chmod(0o755)
        entry = self.root / name
        os.rename(folder, entry)
        sync_directory(self.root)
        return entry


def not_writable(root: Path, error: OSError) -> HostError:
    """Return the error of a folder of images that cannot be written."""
    return HostError(
        "store-not-writable",
        f"the folder of images {root} cannot be written",
        reason=error.strerror or "",
        hint="set QUARTERDECK_HOME to a folder of your own",
    )
