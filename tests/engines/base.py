"""Small Debian roots as image archives, made once from the Debian mirror and kept with the guests of :mod:`tests.guests`."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.guests import shared_home

from quarterdeck.core.arch import find_arch
from quarterdeck.core.fs import locked
from quarterdeck.core.process import run

_MAKER = Path(__file__).parents[2] / "scripts/debian_root.py"
_SECONDS = 1800.0


@dataclass(frozen=True)
class BaseImage:
    """An image of Debian: the name that engines know it by once they loaded ``archive`` (docker load, podman load, buildah pull)."""

    name: str
    archive: Path


def base_image(arch: str = "x86_64", *, suite: str = "trixie", packages: tuple[str, ...] = ()) -> BaseImage:
    """Return a Debian root for ``arch`` with apt and ``packages``; making it takes 15 s, or a minute or two where it is foreign."""
    known = find_arch(arch)
    key = hashlib.sha256("\n".join((_MAKER.read_text(encoding="utf-8"), *packages)).encode()).hexdigest()[:12]
    folder = shared_home() / "roots"
    folder.mkdir(exist_ok=True)
    image = BaseImage(f"localhost/debian-{known.name}:{suite}-{key}", folder / f"debian-{suite}-{known.name}-{key}.tar")
    with locked(folder / f"{image.archive.name}.lock"):
        if not image.archive.exists():
            options = [f"--suite={suite}", f"--include={','.join(packages)}", f"--name={image.name}"]
            run([sys.executable, _MAKER, known.name, image.archive, *options], timeout=_SECONDS)
    return image
