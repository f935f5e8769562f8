"""What of the images on this host nothing needs any more."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.core import clock, paths
from quarterdeck.core.fs import allocated, try_lock
from quarterdeck.errors import HostError
from quarterdeck.media.library.entry import MANIFEST
from quarterdeck.media.library.index import Index

LIBRARY = "library"
_FRESH_SECONDS = 3600.0
"""A younger image, or one asked for since, may be that of a machine which is just being made."""
_DOWNLOAD_SECONDS = 7 * 86400.0


class Kind(StrEnum):
    """What can be removed."""

    IMAGE = "image"
    DOWNLOAD = "download"
    LEFTOVER = "leftover"


@dataclass(frozen=True)
class Removable:
    """Something that nothing needs; ``size`` is its space in bytes, ``used`` when it was last asked for, in seconds since the epoch."""

    path: Path
    kind: Kind
    size: int
    used: float


def plan_prune(
    used: Iterable[Path], *, everything: bool = False, images: Path | None = None, downloads: Path | None = None
) -> tuple[Removable, ...]:
    """Return what can be removed: images that none of the files or folders in ``used`` lies in, downloads that were given up, leftovers.

    What was asked for in the last hour stays, and downloads of the last 7 days, unless ``everything``. What another process works on
    stays always.
    """
    root, parts = images or paths.images(), downloads or paths.cache() / "downloads"
    needed = {path.resolve() for path in used}
    now = clock.now()
    candidates = [*_images(root, needed), *_downloads(parts), *_leftovers(root), *_leftovers(root / LIBRARY)]
    found = [item for path, kind in candidates if (item := _look(path, kind)) is not None]
    return tuple(item for item in found if everything or now - item.used > _rest(item.kind))


def prune(plan: Iterable[Removable]) -> int:
    """Remove what :func:`plan_prune` found; return the bytes that became free.

    Raises:
        HostError: something cannot be removed.
    """
    freed = 0
    for item in plan:
        try:
            _remove(item)
        except OSError as error:
            hint = "it belongs to another user: run it as that one, or as root"
            raise HostError("prune-failed", f"{item.path} cannot be removed", reason=error.strerror or "", hint=hint) from error
        freed += item.size
        if item.path.parent.name == LIBRARY:
            Index(item.path.parent).clean()
    return freed


def _rest(kind: Kind) -> float:
    return _DOWNLOAD_SECONDS if kind is Kind.DOWNLOAD else _FRESH_SECONDS


def _images(root: Path, needed: set[Path]) -> Iterator[tuple[Path, Kind]]:
    """Entries of the library and images made here; both are folders with a manifest."""
    for folder in (*_children(root), *_children(root / LIBRARY)):
        place = folder.resolve()
        if folder.name.startswith(".") or not (folder / MANIFEST).is_file() or any(path.is_relative_to(place) for path in needed):
            continue
        yield folder, Kind.IMAGE


def _downloads(folder: Path) -> Iterator[tuple[Path, Kind]]:
    """Parts that no process holds the lock of."""
    for part in _children(folder):
        if part.suffix == ".part" and _free(part.with_suffix(".lock")):
            yield part, Kind.DOWNLOAD


def _leftovers(root: Path) -> Iterator[tuple[Path, Kind]]:
    """Half-made entries of killed processes, and what is left of removed ones."""
    for folder in _children(root):
        key, building, _ = folder.name.partition(".building-")
        if (building and _free(root / f"{key}.lock")) or folder.name.startswith(".removing-"):
            yield folder, Kind.LEFTOVER


def _look(path: Path, kind: Kind) -> Removable | None:
    """Return what would be removed; None when somebody else removes it just now."""
    try:
        times = [path.stat().st_mtime, *([(path / MANIFEST).stat().st_mtime] if kind is Kind.IMAGE else [])]
        return Removable(path, kind, _space(path), max(times))
    except FileNotFoundError:
        return None


def _free(lock: Path) -> bool:
    """Whether nobody holds the lock."""
    if not lock.exists():
        return True
    try:
        handle = try_lock(lock)
    except OSError:
        return False
    if handle is None:
        return False
    os.close(handle)
    return True


def _remove(item: Removable) -> None:
    if item.kind is Kind.DOWNLOAD:
        _remove_download(item.path)
        return
    # A rename first: nobody finds half an image.
    grave = Path(tempfile.mkdtemp(dir=item.path.parent, prefix=".removing-"))
    os.rename(item.path, grave / "entry")
    shutil.rmtree(grave)


def _remove_download(part: Path) -> None:
    """With its lock held, and the lock file kept: somebody may wait for it."""
    handle = try_lock(part.with_suffix(".lock"))
    if handle is None:
        return
    try:
        for suffix in (".part", ".json", ".new"):
            part.with_suffix(suffix).unlink(missing_ok=True)
    finally:
        os.close(handle)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _space(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return sum(allocated(file) for file in files)
