"""The store of base images: ``images/KEY/`` with a disk, a kernel and a manifest, made once and read by everyone.

An entry appears whole by a rename and is never changed afterwards, since machines stand on it. A fresh build of the
same key makes the next generation, ``KEY.2``, and later lookups find that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from quarterdeck.core import clock, paths
from quarterdeck.core.fs import sync_directory, try_lock, write_json
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import HostError

_SCHEMA = 1
_MANIFEST = "manifest.json"
_POLL_SECONDS = 0.5
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an entry holds: file names inside it (empty: not there), sizes in bytes, ``created`` in seconds since the epoch.

    ``cmdline`` is the kernel's command line without console arguments, ``login`` the user that the seed is to make.
    """

    disk: str
    virtual_size: int
    kernel: str
    initrd: str
    cmdline: str
    uefi: bool
    bios: bool
    login: str
    origin: str


@dataclass(frozen=True)
class StoredImage:
    """One complete entry."""

    folder: Path
    created: float
    manifest: Manifest

    @property
    def disk(self) -> Path:
        """The base disk; read-only."""
        return self.folder / self.manifest.disk


Build = Callable[[Path], Awaitable[Manifest]]
"""Fills an empty folder and says what it put there."""


class ImageStore:
    """The entries below ``root``."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or paths.images()

    def find(self, key: str) -> StoredImage | None:
        """Return the newest complete entry of ``key``, or None."""
        for folder in sorted(self._generations(key), key=_generation, reverse=True):
            if (image := _read(folder)) is not None:
                return image
        return None

    async def obtain(self, key: str, build: Build, *, report: Reporter, refresh: bool = False) -> StoredImage:
        """Return the entry of ``key``, built now if it is not there or ``refresh`` is true.

        Of several processes that want it at once, one builds and the others wait and say so; they take what it built.

        Raises:
            HostError: the store cannot be written.
            QuarterdeckError: what ``build`` raises; nothing of it stays behind.
        """
        before = self.find(key)
        if before is not None and not refresh:
            return before
        self._prepare()
        async with self._lock(key, report):
            now = self.find(key)
            if now is not None and (before is None or now.folder != before.folder):
                return now
            self._clean(key)
            return await self._build(key, build)

    def _generations(self, key: str) -> list[Path]:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key: {key}")
        pattern = re.compile(re.escape(key) + r"(\.\d+)?")
        try:
            return [folder for folder in self.root.iterdir() if pattern.fullmatch(folder.name)]
        except OSError:
            return []

    def _prepare(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # QEMU runs as another user and must be able to walk in.
            self.root.chmod(0o755)
        except OSError as error:
            raise _not_writable(self.root, error) from error

    @contextlib.asynccontextmanager
    async def _lock(self, key: str, report: Reporter) -> AsyncIterator[None]:
        handle = self._try_lock(key)
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
            return try_lock(self.root / f".{key}.lock")
        except OSError as error:
            raise _not_writable(self.root, error) from error

    def _clean(self, key: str) -> None:
        """Remove what killed builds left; the lock says that nobody works on it."""
        for leftover in self.root.glob(f".{key}.building-*"):
            shutil.rmtree(leftover, ignore_errors=True)

    async def _build(self, key: str, build: Build) -> StoredImage:
        folder = Path(tempfile.mkdtemp(dir=self.root, prefix=f".{key}.building-"))
        try:
            manifest = await build(folder)
            created = clock.now()
            write_json(folder / _MANIFEST, {"schema": _SCHEMA, "created": created, **asdict(manifest)}, mode=0o644)
            _open_to_readers(folder)
            return StoredImage(self._publish(key, folder), created, manifest)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _publish(self, key: str, folder: Path) -> Path:
        newest = max((_generation(entry) for entry in self._generations(key)), default=0)
        entry = self.root / (f"{key}.{newest + 1}" if newest else key)
        os.rename(folder, entry)
        sync_directory(self.root)
        return entry


def _generation(folder: Path) -> int:
    suffix = folder.suffix.removeprefix(".")
    return int(suffix) if suffix.isdigit() else 1


def _read(folder: Path) -> StoredImage | None:
    """A folder that cannot be understood counts as absent: it is built again."""
    try:
        content = json.loads((folder / _MANIFEST).read_bytes())
        if content.pop("schema") != _SCHEMA:
            return None
        created = float(content.pop("created"))
        image = StoredImage(folder, created, Manifest(**content))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return image if image.disk.is_file() else None


def _open_to_readers(folder: Path) -> None:
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
        _sync(file)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_writable(root: Path, error: OSError) -> HostError:
    return HostError(
        "store-not-writable",
        f"the folder of images {root} cannot be written",
        reason=error.strerror or "",
        hint="set QUARTERDECK_HOME to a folder of your own",
    )
