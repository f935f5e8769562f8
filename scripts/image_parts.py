"""What the layers of an image archive hold, in bytes. A part of scripts/build_image.py."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from quarterdeck.core.size import format_size


@dataclass(frozen=True)
class Part:
    """One layer: number of files, and bytes unpacked."""

    name: str
    files: int
    size: int


def read_parts(archive: Path, names: Sequence[str]) -> list[Part]:
    """Return the layers of the only image in an archive, from the first on; ``names`` are what to call them.

    Format: ``docker save``, a tar with manifest.json, which also newer engines write beside an OCI layout.

    Raises:
        ValueError: it has another number of layers.
    """
    with tarfile.open(archive) as image:
        manifest = json.load(_file(image, "manifest.json"))
        layers = [_file(image, layer) for layer in manifest[0]["Layers"]]
        return [_read_layer(name, layer) for name, layer in zip(names, layers, strict=True)]


def table(parts: Sequence[Part]) -> str:
    """Return the parts and their sum, a line each."""
    total = Part("in all", sum(part.files for part in parts), sum(part.size for part in parts))
    return "\n".join(f"{part.name:<28}{part.files:>6} files {format_size(part.size):>10}" for part in (*parts, total))


def _file(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """Return a member of a tar; tarfile follows links, as which Docker writes layers that it has already."""
    return cast("IO[bytes]", archive.extractfile(name))


def _read_layer(name: str, layer: IO[bytes]) -> Part:
    with tarfile.open(fileobj=layer) as content:
        sizes = [member.size for member in content if member.isfile()]
    return Part(name, len(sizes), sum(sizes))
