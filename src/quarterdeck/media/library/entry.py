"""One imported image: a folder with a disk and a manifest. It appears whole, and its disk is never changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.fs import write_json
from quarterdeck.media.fetch.download import Proof
from quarterdeck.media.formats import ImageFormat

MANIFEST = "manifest.json"
_SCHEMA = 1
_KIND = "import"


@dataclass(frozen=True, kw_only=True)
class ImportManifest:
    """What was imported and how it was proved.

    ``disk`` is the file in the folder and ``format`` what it is; ``sha256`` (hexadecimal) and ``size`` (bytes) are those of the file as it
    was fetched, still packed; ``member`` is the part of an archive that was asked for (empty: the only image), ``members`` where it lay,
    from the outside in. ``proof`` is ``nothing`` for what was taken with ``--unverified`` or from a file of this host; ``detail`` is the
    checksum or the fingerprint, ``origin`` where that came from. ``created`` is in seconds since the epoch.
    """

    disk: str
    format: ImageFormat
    sha256: str
    size: int
    source: str
    proof: Proof
    detail: str = ""
    origin: str = ""
    member: str = ""
    members: tuple[str, ...] = ()
    created: float = 0.0


@dataclass(frozen=True)
class LibraryImage:
    """A complete entry."""

    folder: Path
    manifest: ImportManifest

    @property
    def disk(self) -> Path:
        """The image; read-only, since machines stand on it."""
        return self.folder / self.manifest.disk

    @property
    def format(self) -> ImageFormat:
        """What the image is."""
        return self.manifest.format

    def to_json(self) -> dict[str, object]:
        """Return the entry as ``--json`` shows it."""
        return {"path": str(self.disk), **asdict(self.manifest)}


def save(folder: Path, manifest: ImportManifest) -> None:
    """Write the manifest of an entry.

    Raises:
        OSError: it cannot be written.
    """
    write_json(folder / MANIFEST, {"schema": _SCHEMA, "kind": _KIND, **asdict(manifest)}, mode=0o644)


def load(folder: Path) -> LibraryImage | None:
    """Return the entry in ``folder``; what cannot be understood counts as absent and is imported again."""
    try:
        raw = json.loads((folder / MANIFEST).read_bytes())
        if (raw.pop("schema"), raw.pop("kind")) != (_SCHEMA, _KIND):
            return None
        image = LibraryImage(folder, _manifest(raw))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return image if image.disk.is_file() else None


def _manifest(raw: dict[str, Any]) -> ImportManifest:
    return ImportManifest(
        **{**raw, "format": ImageFormat(raw["format"]), "proof": Proof(raw["proof"]), "members": tuple(map(str, raw["members"]))}
    )
