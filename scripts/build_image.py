"""Build the image quarterdeck/binfmt with docker, podman or buildah: ``make image-binfmt``.

Run it as ``.venv/bin/python -m scripts.build_image``. The build context is put together in ``build/image-binfmt``.
Where no registry answers, the base is a small Debian made from the host's mirror.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scripts import debian_root, image_engines, image_parts
from scripts.image_engines import Engine

import quarterdeck
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.fs import locked
from quarterdeck.core.process import run
from quarterdeck.errors import QuarterdeckError
from quarterdeck.media.debian.mirror import OVERRIDE, find_mirror

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "images/binfmt"
CONTEXT = ROOT / "build/image-binfmt"
PARTS = ("emulators", "Python and the C library", "Quarterdeck")
TAG = "quarterdeck/binfmt:latest"
BASE = "docker.io/library/debian:13-slim"
_LOCAL_BASE = "localhost/quarterdeck-base:trixie"
_SUITE = "trixie"
# What 'qd binfmt' imports, all of it Python alone, in the versions that are installed here.
DISTRIBUTIONS = ("annotated-doc", "markdown-it-py", "mdurl", "platformdirs", "pygments", "rich", "shellingham")
# The last typer that needs no pydantic, which is a third of all this and is not made for every architecture.
PINS = ("click==8.5.1", "typer==0.25.1")
_PIP_SECONDS = 300.0


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for; ``emulators`` is empty for the Containerfile's list."""

    tag: str
    base: str
    platform: str
    emulators: str


def fill_context(folder: Path) -> None:
    """Put the build context into ``folder``: the sources of the image, wheels, and what apt is to know about reaching mirrors.

    Raises:
        QuarterdeckError: pip failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Containerfile", "assemble", "qd"):
        shutil.copy2(SOURCES / name, folder / name)
    options = asyncio.run(find_mirror()).options
    (folder / "apt.conf").write_text("".join(f"{option}\n" for option in options), encoding="utf-8")
    _download_wheels(folder / "wheels")
    _build_wheel(folder / "wheels")


def _download_wheels(folder: Path) -> None:
    pins = [*PINS, *(f"{name}=={version(name)}" for name in DISTRIBUTIONS)]
    stamp = folder / ".pins"
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == pins:
        return
    shutil.rmtree(folder, ignore_errors=True)
    pure = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.11"]
    _pip("download", "--quiet", "--no-deps", *pure, f"--dest={folder}", *pins)
    stamp.write_text("\n".join(pins), encoding="utf-8")


def _build_wheel(folder: Path) -> None:
    for old in folder.glob("quarterdeck-*.whl"):
        old.unlink()
    _pip("wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", str(ROOT))


def _pip(*words: str) -> None:
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], timeout=_PIP_SECONDS)


def find_base(engine: Engine, wished: str) -> str:
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
        debian_root.make(debian_root.Root(_SUITE, host_arch(), (), _LOCAL_BASE), archive)
        engine.load(archive)
    return _LOCAL_BASE


def build(engine: Engine, wishes: Wishes, archive: Path) -> None:
    """Build the image, leave it in the engine as ``wishes.tag``, and write it to ``archive``.

    Raises:
        QuarterdeckError: the base cannot be had, or the build failed.
    """
    arguments = {"BASE": find_base(engine, wishes.base), "VERSION": quarterdeck.__version__}
    if wishes.emulators:
        arguments["EMULATORS"] = wishes.emulators
    with locked(CONTEXT.with_suffix(".lock")):
        _say("putting the build context together")
        fill_context(CONTEXT)
        _say(f"building {wishes.tag} with {engine.name}")
        engine.build(CONTEXT, wishes.tag, arguments=arguments, platform=wishes.platform)
    engine.save(wishes.tag, archive)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=image_engines.NAMES, help="default: the first that works")
    parser.add_argument("--tag", default=TAG, help="default: %(default)s")
    parser.add_argument("--base", default=BASE, help="base of the build stages, Debian 12 or 13; default: %(default)s")
    parser.add_argument("--arch", default="", help="architecture that the image is for; default: this host's")
    parser.add_argument("--emulators", default="", help="QEMU's names of the emulators to include, with spaces between them")
    parser.add_argument("--archive", type=Path, help="write the image there too, as 'docker load' and 'podman load' read it")
    return parser


def main() -> int:
    """Run the command line."""
    words = _parser().parse_args()
    CONTEXT.parent.mkdir(exist_ok=True)
    try:
        engine = image_engines.find_engine(words.engine)
        platform = (find_arch(words.arch) if words.arch else host_arch()).oci
        with tempfile.TemporaryDirectory(prefix="quarterdeck-image-") as folder:
            archive = words.archive or Path(folder, "image.tar")
            build(engine, Wishes(words.tag, words.base, platform, words.emulators), archive)
            print(image_parts.table(image_parts.read_parts(archive, PARTS)))
    except QuarterdeckError as error:
        _say("\n".join(filter(None, (error.message, error.reason, error.hint))))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
