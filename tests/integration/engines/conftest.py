"""The engines that these tests share, and the image that they run."""

from tests.engines.fixtures import (
    debian,
    docker,
    empty_binfmt,
    engine_namespace,
    host_docker,
    host_podman,
    loopback_registry,
    podman,
)
from tests.engines.image import binfmt_image

__all__ = [
    "binfmt_image",
    "debian",
    "docker",
    "empty_binfmt",
    "engine_namespace",
    "host_docker",
    "host_podman",
    "loopback_registry",
    "podman",
]
