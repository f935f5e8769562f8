"""Build an image of this checkout with docker, podman or buildah: ``make image``, ``make image-binfmt``.

Run it as ``.venv/bin/python -m scripts.build_image NAME``. The build context is put together in ``build/image-NAME``.
Where no registry answers, the base is a small Debian made from the host's mirror.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from scripts import debian_root, image_engines, image_parts
from scripts.image_engines import Engine
from scripts.image_kinds import KINDS, Kind, Wishes

import quarterdeck
from quarterdeck.core.arch import Arch, find_arch, host_arch
from quarterdeck.core.fs import locked
from quarterdeck.errors import QuarterdeckError
from quarterdeck.media.debian.mirror import OVERRIDE, find_mirror

ROOT = Path(__file__).parents[1]
BASE = "docker.io/library/debian:13-slim"
PYTHON = "3.13"
"""CPython of that base."""
_LOCAL_BASE = "localhost/quarterdeck-base:trixie"
_SUITE = "trixie"


def fill_context(kind: Kind, folder: Path, wishes: Wishes) -> None:
    """Put the build context into ``folder``: the sources of the image, wheels, and what apt is to know about reaching mirrors.

    Raises:
        QuarterdeckError: pip failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Containerfile", *kind.files):
        shutil.copy2(kind.sources / name, folder / name)
    options = asyncio.run(find_mirror()).options
    (folder / "apt.conf").write_text("".join(f"{option}\n" for option in options), encoding="utf-8")
    kind.fill(folder, wishes)


def find_base(engine: Engine, wished: str, arch: Arch) -> str:
    """Return the name of a base image that ``engine`` has now: the one wished for, or one made from the host's Debian mirror.

    Raises:
        QuarterdeckError: no registry answers, and none can be made either.
    """
    if not os.environ.get(OVERRIDE):
        if not (reason := engine.obtain(wished)):
            return wished
        _say(f"{wished} cannot be had: {reason}")
    _say(f"making the base from the Debian mirror: {_LOCAL_BASE}")
    with tempfile.TemporaryDirectory(prefix="quarterdeck-base-") as folder:
        archive = Path(folder, "base.tar")
        debian_root.make(debian_root.Root(_SUITE, arch, (), _LOCAL_BASE), archive)
        engine.load(archive)
    return _LOCAL_BASE


def build(engine: Engine, kind: Kind, wishes: Wishes, *, base: str, tag: str) -> None:
    """Build the image ``kind`` and leave it in the engine as ``tag``.

    Raises:
        QuarterdeckError: the base cannot be had, or the build failed.
    """
    context = ROOT / f"build/image-{kind.name}"
    arguments = {"BASE": find_base(engine, base, host_arch() if kind.crosses else wishes.arch), "VERSION": quarterdeck.__version__}
    if wishes.emulators:
        arguments[kind.choice] = wishes.emulators
    context.parent.mkdir(exist_ok=True)
    with locked(context.with_suffix(".lock")):
        _say("putting the build context together")
        fill_context(kind, context, wishes)
        _say(f"building {tag} with {engine.name}")
        engine.build(context, tag, arguments=arguments, platform=wishes.arch.oci)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", choices=KINDS, help="which image")
    parser.add_argument("--engine", choices=image_engines.NAMES, help="default: the first that works")
    parser.add_argument("--tag", default="", help="default: quarterdeck/NAME:latest")
    parser.add_argument("--base", default=BASE, help="Debian 12 or 13; default: %(default)s")
    parser.add_argument("--python", default=PYTHON, help="CPython of the base of 'machine': 3.11 for Debian 12; default: %(default)s")
    parser.add_argument("--arch", default="", help="architecture that the image is for; default: this host's")
    parser.add_argument("--emulators", default="", help="architectures to emulate, with spaces between them; 'machine' also takes: all")
    parser.add_argument("--archive", type=Path, help="write the image there too, as 'docker load' and 'podman load' read it")
    return parser


def main() -> int:
    """Run the command line."""
    words = _parser().parse_args()
    kind = KINDS[words.image]
    tag = words.tag or kind.tag
    try:
        engine = image_engines.find_engine(words.engine)
        wishes = Wishes(find_arch(words.arch) if words.arch else host_arch(), words.python, words.emulators)
        build(engine, kind, wishes, base=words.base, tag=tag)
        with tempfile.TemporaryDirectory(prefix="quarterdeck-image-") as folder:
            archive = words.archive or Path(folder, "image.tar")
            engine.save(tag, archive)
            print(image_parts.table(image_parts.read_parts(archive, kind.parts)))
    except QuarterdeckError as error:
        _say("\n".join(filter(None, (error.message, error.reason, error.hint))))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
