"""The store of base images: ``images/KEY/`` with a disk, a kernel and a manifest, made once and read by everyone.

An entry appears whole by a rename and is never changed afterwards, since machines stand on it. A fresh build of the
same key makes the next generation, ``KEY.2``, and later lookups find that one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from quarterdeck.core import clock, paths
from quarterdeck.core.fs import sync_file, write_json
from quarterdeck.core.report import Reporter
from quarterdeck.media.entries import EntryFolder

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
        self._folder = EntryFolder(self.root)

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
        async with self._folder.lock(key, report):
            now = self.find(key)
            if now is not None and (before is None or now.folder != before.folder):
                return now
            return await self._build(key, build)

    def _generations(self, key: str) -> list[Path]:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key: {key}")
        pattern = re.compile(re.escape(key) + r"(\.\d+)?")
        try:
            return [folder for folder in self.root.iterdir() if pattern.fullmatch(folder.name)]
        except OSError:
            return []

    async def _build(self, key: str, build: Build) -> StoredImage:
        async with self._folder.building(key) as folder:
            manifest = await build(folder)
            created = clock.now()
            write_json(folder / _MANIFEST, {"schema": _SCHEMA, "created": created, **asdict(manifest)}, mode=0o644)
            for file in folder.iterdir():
                sync_file(file, mode=0o644)
            return StoredImage(self._folder.publish(folder, self._next_name(key)), created, manifest)

    def _next_name(self, key: str) -> str:
        newest = max((_generation(entry) for entry in self._generations(key)), default=0)
        return f"{key}.{newest + 1}" if newest else key


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
