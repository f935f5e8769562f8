"""The image quarterdeck/machine in the newest Docker Engine: the run line, and the example of a Compose file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.boot.container_lab import SMALL, Box, ContainerLab, container_lab
from tests.engines.docker import Docker
from tests.engines.image import MACHINE_IMAGE
from tests.engines.network import NetworkNamespace
from tests.tiny_guest import tiny_image

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]
EXAMPLE = Path(__file__).parents[2] / "examples/compose.yaml"
STATUS = ("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "http://127.0.0.1:8006/")


@pytest.fixture(scope="module")
def lab(newest_networked_docker: Docker, machine_image: Path) -> Iterator[ContainerLab]:
    newest_networked_docker.load(machine_image)
    with container_lab(newest_networked_docker) as made:
        yield made


def composition(folder: Path) -> Path:
    """Write the example as it is, but with the tests' image and guest, and without the device that is of no use here."""
    yaml = YAML()
    text = yaml.load(EXAMPLE)
    service = text["services"]["vm"]
    service["image"] = MACHINE_IMAGE
    service["environment"] = dict(option.removeprefix("--env=").split("=", 1) for option in SMALL)
    service["volumes"].append(f"{tiny_image()}:/boot.img:ro")
    service["devices"].remove("/dev/kvm")
    file = folder / "compose.yaml"
    yaml.dump(text, file)
    return file


def test_the_example_of_a_compose_file(lab: ContainerLab, engine_network: NetworkNamespace) -> None:
    folder = lab.home / "project"
    folder.mkdir()
    compose = ("compose", f"--file={composition(folder)}")
    box = Box(lab.engine, "project-vm-1", folder / "qemu")
    try:
        lab.engine(*compose, "up", "--detach")
        assert "network0: tap" in box.until_ready()
        assert engine_network.run(STATUS).text == "401"
        box.sh("printf kept | dd of=/dev/vda bs=512 seek=81920 conv=notrunc")
        lab.engine(*compose, "stop")
        assert (box.exit_code(), "shuts the guest down" in box.logs()) == (0, True)
        lab.engine(*compose, "up", "--detach")
        box.until_ready(times=2)
        assert "kept" in box.sh("dd if=/dev/vda bs=512 skip=81920 count=1")
        lab.engine(*compose, "down")
        assert not lab.engine("ps", "--all", "--quiet").text
        assert (folder / "qemu/machines/boot/vm").is_dir(), "what it was stays in the folder"
    finally:
        print(box.logs())
        lab.engine(*compose, "down", "--timeout=0", check=False)


def test_the_run_line(lab: ContainerLab, engine_network: NetworkNamespace) -> None:
    with lab.box("plain", "--publish=127.0.0.1:8006:8006", "--health-interval=1s") as box:
        box.until_ready()
        assert engine_network.run(STATUS).text == "401"
        lab.engine("stop", "--time=60", "plain")
        assert box.exit_code() == 0
