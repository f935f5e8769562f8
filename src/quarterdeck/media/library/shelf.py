"""The folder of the library: locks, half-made entries, and the rename that makes an entry appear."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from quarterdeck.core.fs import sync_directory, try_lock
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import HostError
from quarterdeck.media.library import entry as entries
from quarterdeck.media.library.entry import ImportManifest, LibraryImage

_POLL_SECONDS = 0.5


class Shelf:
    """The entries below ``root``, one folder each."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self) -> list[LibraryImage]:
        """Return all complete entries."""
        try:
            folders = [folder for folder in self.root.iterdir() if not folder.name.startswith(".")]
        except OSError:
            return []
        return [image for folder in sorted(folders) if (image := entries.load(folder)) is not None]

    @contextlib.asynccontextmanager
    async def lock(self, key: str, report: Reporter) -> AsyncIterator[None]:
        """Hold the lock of one request; says so when another process holds it.

        Raises:
            HostError: the library cannot be written.
        """
        handle = await asyncio.to_thread(self._try_lock, key)
        if handle is None:
            report(Step("image", StepStatus.RUNNING, "waiting for another qd that imports the same image"))
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
            self.root.parent.chmod(0o755)
            self.root.chmod(0o755)
            return try_lock(self.root / f".{key}.lock")
        except OSError as error:
            raise not_writable(self.root, error) from error

    @contextlib.contextmanager
    def building(self, key: str) -> Iterator[Path]:
        """Give an empty folder for an entry to be; what killed runs left of the same one goes first. Call it with the lock held."""
        for leftover in self.root.glob(f".{key}.building-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=self.root, prefix=f".{key}.building-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, folder: Path, name: str, manifest: ImportManifest) -> LibraryImage:
        """Make the entry ``name`` out of ``folder``, or return the one that is there already.

        Raises:
            HostError: the library cannot be written.
        """
        target = self.root / name
        try:
            _open_to_readers(folder, manifest.disk)
            entries.save(folder, manifest)
            there = entries.load(target)
            if there is not None:
                return there
            if os.path.lexists(target):  # damaged: nothing could start from it
                os.rename(target, Path(tempfile.mkdtemp(dir=self.root, prefix=".removing-")) / "entry")
            os.rename(folder, target)
            sync_directory(self.root)
        except OSError as error:
            raise not_writable(self.root, error) from error
        return LibraryImage(target, manifest)


def not_writable(root: Path, error: OSError) -> HostError:
    """Return the error of a library that cannot be written."""
    return HostError(
        "store-not-writable",
        f"the folder of images {root} cannot be written",
        reason=error.strerror or "",
        hint="set QUARTERDECK_HOME to a folder of your own",
    )


def _open_to_readers(folder: Path, disk: str) -> None:
    """Only the disk stays; it is synchronised, since machines will stand on it after a power cut too."""
    for file in folder.iterdir():
        if file.name != disk:
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
    handle = os.open(folder / disk, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(handle, 0o644)
        os.fsync(handle)
    finally:
        os.close(handle)
    folder.chmod(0o755)
