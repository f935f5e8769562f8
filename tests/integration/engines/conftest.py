"""The engines that these tests share."""

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

__all__ = ["debian", "docker", "empty_binfmt", "engine_namespace", "host_docker", "host_podman", "loopback_registry", "podman"]
