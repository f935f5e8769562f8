"""The image quarterdeck/binfmt of this checkout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
BUILD_SECONDS = 600.0
LARGEST_CACHE = 4 << 30
"""Bytes after which the stages of old builds go; one build has about 1 GiB."""


@pytest.fixture(scope="session")
def binfmt_image(debian: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image quarterdeck/binfmt of this checkout as an archive; stages that have not changed come from the tests' cache."""
    archive = tmp_path_factory.mktemp("binfmt-image") / "image.tar"
    cache = shared_home() / "buildah"
    cache.mkdir(exist_ok=True)
    lock = cache.with_suffix(".lock")
    with locked(lock), storage(cache, keep=True) as builder:
        builder.load(debian.archive)
        options = ["--engine=buildah", f"--base={debian.name}", f"--tag={IMAGE}", f"--archive={archive}"]
        run([sys.executable, "-m", "scripts.build_image", "binfmt", *options], cwd=ROOT, env=builder.env, timeout=BUILD_SECONDS)
    yield archive
    archive.unlink()
    with locked(lock):
        if occupied(cache) > LARGEST_CACHE:
            remove(cache)
            cache.mkdir()
