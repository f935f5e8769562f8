"""The engines that other tests stand on: they run containers, they share nothing with the host, they leave nothing."""

import pytest
from tests.engines.base import BaseImage
from tests.engines.docker import Docker
from tests.engines.namespace import BINFMT, Namespace
from tests.engines.podman import Storage
from tests.engines.registry import Registry
from tests.host_binfmt import host_binfmt

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core.arch import find_arch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_docker_runs_a_container(docker: Docker, debian: BaseImage) -> None:
    docker.load(debian.archive)
    assert docker("run", "--rm", "--network=none", debian.name, "cat", "/etc/debian_version").text.strip()


def test_podman_runs_a_container(podman: Storage, debian: BaseImage) -> None:
    podman.load(debian.archive)
    assert podman.podman("run", "--rm", debian.name, "cat", "/etc/debian_version").text.strip()


def test_an_image_goes_through_the_registry(
    host_podman: Storage, host_docker: Docker, loopback_registry: Registry, debian: BaseImage
) -> None:
    host_podman.load(debian.archive)
    name = loopback_registry.name("debian:13")
    host_podman.buildah("push", debian.name, f"docker://{name}")
    host_docker("pull", "--quiet", name)
    assert host_docker("run", "--rm", "--network=none", name, "cat", "/etc/debian_version").text.strip()


def test_what_the_namespace_registers_is_its_own(empty_binfmt: Namespace) -> None:
    with host_binfmt():
        host = set(BINFMT.iterdir()) if BINFMT.exists() else set()
        line = Registration.of(find_arch("sh4"), "/bin/true", "F").line()
        empty_binfmt.run(["tee", BINFMT / "register"], input=line)
        assert empty_binfmt.entries() == {"qemu-sh4"}
        assert (set(BINFMT.iterdir()) if BINFMT.exists() else set()) == host


def test_what_a_container_registers_stays_after_it(docker: Docker, debian: BaseImage, empty_binfmt: Namespace) -> None:
    docker.load(debian.archive)
    line = Registration.of(find_arch("sh4"), "/bin/true", "F").line().decode()
    folder = f"--volume={BINFMT}:/binfmt"  # not below /proc, where runc lets nothing be mounted
    docker("run", "--rm", "--network=none", "--privileged", folder, debian.name, "sh", "-c", f"printf %s '{line}' >/binfmt/register")
    assert empty_binfmt.entries() == {"qemu-sh4"}
