"""What the newest engines run."""

from pathlib import Path

import pytest
from tests.engines.base import BaseImage
from tests.engines.podman import Storage


@pytest.fixture(scope="session")
def debian_layout(host_podman: Storage, debian: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Debian as an OCI layout with the tag ``13``: builds without a network begin from it."""
    layout = tmp_path_factory.mktemp("debian-layout") / "oci"
    host_podman.load(debian.archive)
    host_podman.buildah("push", "--quiet", debian.name, f"oci:{layout}:13")
    return layout
