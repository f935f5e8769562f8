"""The engines that these tests share, and what they run."""

from pathlib import Path

import pytest
from tests.engines.base import BaseImage
from tests.engines.fixtures import debian, empty_binfmt, engine_namespace, host_podman, loopback_registry
from tests.engines.image import binfmt_image
from tests.engines.newest import buildkitd, built_engines, host_buildkitd, newest_docker, newest_host_docker
from tests.engines.podman import Storage

__all__ = [
    "binfmt_image",
    "buildkitd",
    "built_engines",
    "debian",
    "empty_binfmt",
    "engine_namespace",
    "host_buildkitd",
    "host_podman",
    "loopback_registry",
    "newest_docker",
    "newest_host_docker",
]


@pytest.fixture(scope="session")
def debian_layout(host_podman: Storage, debian: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Debian as an OCI layout with the tag ``13``: builds without a network begin from it."""
    layout = tmp_path_factory.mktemp("debian-layout") / "oci"
    host_podman.load(debian.archive)
    host_podman.buildah("push", "--quiet", debian.name, f"oci:{layout}:13")
    return layout
