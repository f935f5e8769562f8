"""The newest Docker Engine, with the image store of containerd: runs, builds, composes, and takes the image of emulators."""

import json
from pathlib import Path

import pytest
from scripts.engines.table import engine
from tests.engines.base import BaseImage, base_image
from tests.engines.docker import Docker
from tests.engines.image import IMAGE
from tests.engines.namespace import BINFMT, Namespace

from quarterdeck.core.arch import find_arch, host_arch, runs_natively

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

INSTALL = ("run", "--rm", "--network=none", "--privileged", f"--volume={BINFMT}:/binfmt", IMAGE, "--mount=/binfmt")
COMPOSITION = """
services:
  says:
    image: {image}
    network_mode: none
    command: ["cat", "/etc/debian_version"]
"""


@pytest.fixture
def docker(newest_docker: Docker, debian: BaseImage) -> Docker:
    newest_docker.load(debian.archive)
    return newest_docker


def test_client_and_server_are_the_versions_that_were_asked_for(docker: Docker) -> None:
    versions = docker("version", "--format={{.Client.Version}} {{.Server.Version}}").text.split()
    assert versions == [engine("docker-cli").version.removeprefix("v"), engine("docker").version.removeprefix("v")]


def test_images_are_in_the_store_of_containerd(docker: Docker) -> None:
    assert "io.containerd.snapshotter.v1" in docker("info", "--format={{json .DriverStatus}}").text


def test_it_runs_a_container(docker: Docker, debian: BaseImage) -> None:
    assert docker("run", "--rm", "--network=none", debian.name, "cat", "/etc/debian_version").text.strip()


def test_it_runs_a_container_on_the_host(newest_host_docker: Docker, debian: BaseImage) -> None:
    newest_host_docker.load(debian.archive)
    assert newest_host_docker("run", "--rm", "--network=host", debian.name, "cat", "/etc/debian_version").text.strip()


def test_buildx_builds_in_it(docker: Docker, debian: BaseImage, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {debian.name}\nRUN dpkg --print-architecture >/architecture\n", encoding="utf-8")
    docker("buildx", "build", "--network=none", "--tag=localhost/built", "--load", tmp_path)
    assert docker("run", "--rm", "--network=none", "localhost/built", "cat", "/architecture").text.strip() == host_arch().debian


def test_compose_runs_a_service(docker: Docker, debian: BaseImage, tmp_path: Path) -> None:
    assert docker("compose", "version", "--short").text.strip() == engine("compose").version.removeprefix("v")
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSITION.format(image=debian.name), encoding="utf-8")
    done = docker("compose", f"--file={file}", "up", "--no-color", "--abort-on-container-exit", "--exit-code-from=says")
    assert "says-1" in done.text
    docker("compose", f"--file={file}", "down")


def test_the_image_of_emulators_installs_them(docker: Docker, binfmt_image: Path, empty_binfmt: Namespace) -> None:
    docker.load(binfmt_image)
    state = json.loads(docker(*INSTALL, "--install", "riscv64").stdout)
    assert state["emulators"] == ["qemu-riscv64"]
    assert empty_binfmt.entries() == {"qemu-riscv64"}
    docker(*INSTALL, "--uninstall", "all")
    assert empty_binfmt.entries() == set()


def test_it_builds_for_a_foreign_architecture_once_the_emulator_is_there(
    docker: Docker, binfmt_image: Path, empty_binfmt: Namespace, tmp_path: Path
) -> None:
    if runs_natively(find_arch("aarch64"), host_arch()):
        pytest.skip("this host runs arm64 natively")
    foreign = base_image("aarch64", packages=("sudo",))
    docker.load(foreign.archive)
    docker.load(binfmt_image)
    (tmp_path / "Dockerfile").write_text(f"FROM {foreign.name}\nRUN dpkg --print-architecture >/architecture\n", encoding="utf-8")
    build = ("buildx", "build", "--network=none", "--platform=linux/arm64", "--tag=localhost/foreign", "--load", tmp_path)
    refused = docker(*build, check=False)
    assert refused.returncode != 0
    assert b"exec format error" in refused.stderr
    docker(*INSTALL, "--install", "arm64")
    docker(*build)
    run = ("run", "--rm", "--network=none", "--platform=linux/arm64", "localhost/foreign", "cat", "/architecture")
    assert docker(*run).text.strip() == "arm64"
