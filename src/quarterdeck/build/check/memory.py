"""Remembers what is in layers that were read before: the layers of a base image come again with every build.

A layer is known by its digest, so that what was found in it stays true. Kept is what it changes in an image, not what was thought of
that: rules may change. A memory that cannot be read or written costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from quarterdeck.build.check.change import Change, What
from quarterdeck.core import fs, paths

_FORMAT = 1
"""To be raised whenever layers are read in another way, or kept in another form."""
MOST_CHANGES = 40_000
"""Changes of a layer that is kept: a whole distribution with a compiler has fewer, and more would take long to read."""
MOST_LAYERS = 200
"""Layers that are kept; the one that was not asked for the longest goes first."""
_LARGEST = 64 << 20


@dataclass(frozen=True)
class KnownLayer:
    """What a layer turned out to be: how many files it has, the digest of its unpacked content, and what it changes."""

    files: int
    diff_id: str
    changes: tuple[Change, ...]

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps([self.files, self.diff_id, self.changes], separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return what such JSON says.

        Raises:
            ValueError, TypeError: it says something else.
        """
        files, diff_id, changes = json.loads(content)
        return cls(int(files), str(diff_id), tuple(map(_change, changes)))


class LayerMemory:
    """A folder with a file for each layer; several processes may use it at the same time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls) -> Self:
        """Return the one that all commands of this user share."""
        return cls(paths.cache() / "layers" / str(_FORMAT))

    def find(self, digest: str) -> KnownLayer | None:
        """Return what is known of a layer, None when that is nothing."""
        place = self._place(digest)
        try:
            with place.open("rb") as file:
                content = file.read(_LARGEST)
            known = KnownLayer.from_bytes(content)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        with contextlib.suppress(OSError):
            os.utime(place)
        return known

    def keep(self, digest: str, layer: KnownLayer) -> None:
        """Keep what a layer is; its content has to be proved by then."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            fs.write_atomic(self._place(digest), layer.to_bytes())
            for path in _oldest(self._folder.iterdir()):
                path.unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        return self._folder / f"{digest.replace(':', '-')}.json"


def _oldest(files: Iterable[Path]) -> list[Path]:
    ages = {path: path.stat().st_mtime for path in files if path.suffix == ".json"}
    return sorted(ages, key=ages.__getitem__, reverse=True)[MOST_LAYERS:]


def _change(value: Any) -> Change:
    what, path, more = value
    if not isinstance(path, str) or not isinstance(more, str):
        raise TypeError
    return Change(What(what), path, more)
