"""The images quarterdeck/binfmt and quarterdeck/machine of this checkout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engines.base import BaseImage
from tests.engines.place import occupied, remove
from tests.engines.podman import storage
from tests.guests import shared_home

from quarterdeck.core.fs import locked
from quarterdeck.core.process import run

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/quarterdeck/binfmt:test"
MACHINE_IMAGE = "localhost/quarterdeck/machine:test"
BUILD_SECONDS = 1200.0
LARGEST_CACHE = 6 << 30
"""Bytes after which the stages of old builds go; one build of both images has about 2 GiB."""


@pytest.fixture(scope="session")
def binfmt_image(debian: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image quarterdeck/binfmt of this checkout as an archive; stages that have not changed come from the tests' cache."""
    with _built("binfmt", debian, tmp_path_factory.mktemp("binfmt-image"), f"--tag={IMAGE}") as archive:
        yield archive


@pytest.fixture(scope="session")
def machine_image(debian: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image quarterdeck/machine of this checkout as an archive."""
    with built_machine(debian, tmp_path_factory.mktemp("machine-image")) as archive:
        yield archive


@contextmanager
def built_machine(base: BaseImage, folder: Path) -> Iterator[Path]:
    """Have the image quarterdeck/machine as an archive in ``folder``, with two emulators; only what changed is built again."""
    with _built("machine", base, folder, f"--tag={MACHINE_IMAGE}", "--emulators=x86_64 aarch64") as archive:
        yield archive


@contextmanager
def _built(name: str, base: BaseImage, folder: Path, *options: str) -> Iterator[Path]:
    archive, cache = folder / "image.tar", shared_home() / "buildah"
    cache.mkdir(exist_ok=True)
    lock = cache.with_suffix(".lock")
    with locked(lock), storage(cache, keep=True) as builder:
        builder.load(base.archive)
        words = [name, "--engine=buildah", f"--base={base.name}", f"--archive={archive}", *options]
        run([sys.executable, "-m", "scripts.build_image", *words], cwd=ROOT, env=builder.env, timeout=BUILD_SECONDS)
    yield archive
    archive.unlink()
    with locked(lock):
        if occupied(cache) > LARGEST_CACHE:
            remove(cache)
            cache.mkdir()
