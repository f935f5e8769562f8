"""The image in podman, as root and as the root of a user namespace, which is what rootless podman is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boot.container_lab import CONFINED, NOBODY, ContainerLab, container_lab
from tests.engines.podman import Storage

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module", params=["host_podman", "podman"])
def lab(request: pytest.FixtureRequest, machine_image: Path) -> Iterator[ContainerLab]:
    engine: Storage = request.getfixturevalue(request.param)
    engine.load(machine_image)
    with container_lab(engine.podman) as made:
        yield made


def test_it_stops_in_order_keeps_its_data_and_survives_a_kill(lab: ContainerLab) -> None:
    with lab.box("box", "--network=none", *CONFINED, f"--user={NOBODY}:{NOBODY}", owner=NOBODY) as box:
        box.until_ready()
        box.sh("printf kept | dd of=/dev/vda bs=512 seek=81920 conv=notrunc")
        assert lab.engine("healthcheck", "run", "box").returncode == 0
        lab.engine("stop", "--time=60", "box")
        assert (box.exit_code(), "shuts the guest down" in box.logs()) == (0, True)
        lab.engine("start", "box")
        box.until_ready(times=2)
        assert "kept" in box.sh("dd if=/dev/vda bs=512 skip=81920 count=1")
        lab.engine("kill", "box")
        assert box.exit_code() == 137
        lab.engine("start", "box")
        box.until_ready(times=3)
        box.say("poweroff")
        assert box.exit_code() == 0


def test_root_in_it_gives_qemu_to_nobody(lab: ContainerLab) -> None:
    with lab.box("rooted", "--network=none") as box:
        box.until_ready()
        qemu = box.qemu()
        assert (int(qemu["CapEff"], 16), qemu["Uid"].split()[0] != "0") == (0, True)
        lab.engine("stop", "--time=60", "rooted")
        assert box.exit_code() == 0
