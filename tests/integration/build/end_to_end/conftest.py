"""The engines and labs of whole builds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.docker import Docker
from tests.engines.podman import Storage
from tests.integration.build.end_to_end.lab import DEBIAN_PATH, FOREIGN, Images, Lab, load_into_docker, load_into_podman


@pytest.fixture(scope="session", autouse=True)
def emulator() -> None:
    """Skips where the host does not emulate."""
    name = FOREIGN.arch.user if FOREIGN.arch else ""
    if not Path(f"/proc/sys/fs/binfmt_misc/qemu-{name}").exists():
        pytest.skip(f"no emulator for {FOREIGN} is registered on this host")


@pytest.fixture(scope="session")
def podman_images(host_podman: Storage, tmp_path_factory: pytest.TempPathFactory) -> Images:
    return load_into_podman(host_podman, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def docker_images(host_docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Images:
    return load_into_docker(host_docker, tmp_path_factory.mktemp("images"))


def folders_in(folder: Path) -> dict[str, str]:
    """Make the folders of one test, and return the variables that name them."""
    for name in ("tmp", "context"):
        (folder / name).mkdir()
    return {"QUARTERDECK_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "HOME": str(folder)}


@pytest.fixture
def buildah(tmp_path: Path, host_podman: Storage, podman_images: Images) -> Iterator[Lab]:
    """A lab with buildah, and no Docker."""
    env = {**host_podman.env, "DOCKER_HOST": "unix:///nowhere", **folders_in(tmp_path)}
    yield Lab(tmp_path / "context", "buildah", podman_images, env)
    shutil.rmtree(tmp_path)


@pytest.fixture
def docker(tmp_path: Path, host_docker: Docker, host_podman: Storage, docker_images: Images) -> Iterator[Lab]:
    """A lab with Debian's Docker Engine, whose steps have the host's network."""
    env = {**host_podman.env, **host_docker.env, "PATH": DEBIAN_PATH, **folders_in(tmp_path)}
    yield Lab(tmp_path / "context", "docker", docker_images, env, ("--network=host",))
    shutil.rmtree(tmp_path)


@pytest.fixture(params=["buildah", "docker"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """A lab with each engine of Debian's."""
    lab: Lab = request.getfixturevalue(request.param)
    return lab
