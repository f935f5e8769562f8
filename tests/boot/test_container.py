"""The image in Docker Engine: the run line, every privilege and none, and all that may happen to a container."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boot.container_lab import CONFINED, NOBODY, OWN_NETWORK, SERVE, Box, ContainerLab, container_lab, until
from tests.engines.daemon import daemon
from tests.engines.docker import Docker
from tests.engines.image import MACHINE_IMAGE
from tests.engines.network import NetworkNamespace
from tests.tiny_guest import tiny_image

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1500)]
QUICK = ("--health-interval=3s", "--health-start-period=1s", "--health-retries=2")
MARK = "written by the guest"
WRITE = f"printf '{MARK}' | dd of=/dev/vda bs=512 seek=81920 conv=notrunc 2>/dev/null"
"""Behind its kernel, and without a sync: that is what the stop is for."""
READ = "dd if=/dev/vda bs=512 skip=81920 count=1 2>/dev/null"
_GATEWAY = "http.server 8000 --bind 0.0.0.0 --directory"


@pytest.fixture(scope="module")
def lab(networked_docker: Docker, machine_image: Path) -> Iterator[ContainerLab]:
    networked_docker.load(machine_image)
    with container_lab(networked_docker) as made:
        yield made


@pytest.fixture(scope="module")
def world(engine_network: NetworkNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkNamespace]:
    """What is outside of the containers: the engine's own network, with a page on port 8000."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "index.html").write_text("page of the world\n")
    words = [sys.executable, "-m", *_GATEWAY.split(), str(folder)]
    with daemon(engine_network.argv(words), log=folder / "log", ready=lambda _: "page" in fetch(engine_network, "127.0.0.1:8000/")):
        yield engine_network


def fetch(world: NetworkNamespace, place: str, *options: str) -> str:
    """Return what curl shows of http://PLACE as seen beside the engine."""
    return world.run(["curl", "--silent", "--max-time", "9", *options, f"http://{place}"], check=False).text.strip()


def gateway(box: Box) -> str:
    return box.inspect("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}")


def test_the_run_line_gives_a_machine_whose_data_stay(lab: ContainerLab, world: NetworkNamespace) -> None:
    ports = ("--env=BOOT=debian", "--publish=127.0.0.1:8006:8006", "--publish=127.0.0.1:8080:8080", "--env=PORTS=8080:80")
    with lab.box("plain", *ports, *QUICK) as box:
        log = box.until_ready()
        assert "BOOT: /boot.img" in log
        assert "network0: user" in log
        assert "--cap-add NET_ADMIN" in log, "it says what would connect it better"
        the_console_asks_who_one_is(box, world)
        box.sh(SERVE)
        assert fetch(world, "127.0.0.1:8080/") == "page of the guest"
        assert "page of the world" in box.sh(f"wget -q -O - http://{gateway(box)}:8000/")
        commands_work_inside(box)
        until(lambda: box.inspect("{{.State.Health.Status}}") == "healthy", "health")
        box.sh(WRITE)
        lab.engine("stop", "--time=60", "plain")
        assert (box.exit_code(), "shuts the guest down" in box.logs(), "was killed" in box.logs()) == (0, True, False)
        lab.engine("start", "plain")
        box.until_ready(times=2)
        assert MARK in box.sh(READ)
        box.sh(f"{WRITE.replace('by the', 'by this')}; sync")
        lab.engine("kill", "plain")
        assert box.exit_code() == 137
        lab.engine("start", "plain")
        box.until_ready(times=3)
        assert "written by this guest" in box.sh(READ)
        box.say("poweroff")
        assert box.exit_code() == 0


def the_console_asks_who_one_is(box: Box, world: NetworkNamespace) -> None:
    status = ("--output", "/dev/null", "--write-out", "%{http_code}")
    assert fetch(world, "127.0.0.1:8006/", *status) == "401"
    cookies = ("--cookie-jar", str(box.storage / "cookies"), "--cookie", str(box.storage / "cookies"))
    link = box.login_path()
    assert fetch(world, f"127.0.0.1:8006{link}", *cookies, *status, "--location") == "200"
    assert json.loads(fetch(world, "127.0.0.1:8006/api/v1/machine", *cookies))["state"] == "ready"
    assert fetch(world, f"127.0.0.1:8006{link}", *status) in {"401", "403", "410"}, "a link works once"


def commands_work_inside(box: Box) -> None:
    (listed,) = json.loads(box.exec("qd", "ls", "--json").stdout)
    assert (listed["name"], listed["state"]) == ("boot", "ready")
    box.exec("qd", "snapshot", "create", "boot", "first")
    assert "first" in box.exec("qd", "snapshot", "ls", "boot").text
    assert "/login?token=" in box.exec("qd", "open", "boot").text
    assert "its agent answers" in box.exec("qd-machine", "health").text


def test_it_needs_no_privilege_no_root_and_no_writable_system(lab: ContainerLab) -> None:
    with lab.box("confined", *CONFINED, f"--user={NOBODY}:{NOBODY}", "--restart=always", owner=NOBODY) as box:
        box.until_ready()
        for row in box.processes():
            assert row["Uid"].split() == [str(NOBODY)] * 4, row["Name"]
            assert (int(row["CapEff"], 16), row["NoNewPrivs"]) == (0, "1"), row["Name"]
        box.say("poweroff")
        box.until_ready(times=2)
        assert int(box.inspect("{{.RestartCount}}")) >= 1, "the engine starts what powered itself off"
        lab.engine("stop", "--time=60", "confined")
        assert box.exit_code() == 0


def test_with_a_network_of_its_own_every_port_leads_to_the_guest(lab: ContainerLab, world: NetworkNamespace) -> None:
    lab.engine("network", "create", "lan")
    published = ("--publish=127.0.0.1:8090:80", "--publish=127.0.0.1:8016:8006")
    try:
        with (
            lab.box("tapped", "--network=lan", *OWN_NETWORK, *published) as tapped,
            lab.box("other", "--network=lan", "--env=USER_PORTS=80") as other,
        ):
            assert "network0: tap" in tapped.until_ready()
            other.until_ready()
            tapped.sh(SERVE)
            other.sh(SERVE.replace("page of the guest", "page of the other"))
            assert fetch(world, "127.0.0.1:8090/") == "page of the guest"
            assert fetch(world, "127.0.0.1:8016/", "--output", "/dev/null", "--write-out", "%{http_code}") == "401"
            assert "page of the world" in tapped.sh(f"wget -q -O - http://{gateway(tapped)}:8000/")
            assert "page of the other" in tapped.sh("wget -q -O - http://other/"), "names come from the engine's own server"
            assert "page of the guest" in other.sh("wget -q -O - http://tapped/")
            qemu = tapped.qemu()
            assert (int(qemu["CapEff"], 16), qemu["Uid"].split()[0] != "0") == (0, True)
            lab.engine("stop", "--time=60", "tapped")
            assert tapped.exit_code() == 0
    finally:
        lab.engine("network", "rm", "lan", check=False)


def test_folders_of_the_old_image_health_and_a_guest_that_powers_itself_off(lab: ContainerLab) -> None:
    taken = lab.prepare("taken")
    shutil.copyfile(tiny_image(), taken.storage / "data.img")
    try:
        taken.run("--env=ON_POWEROFF=stop", "--env=DISK_TYPE=blk", "--restart=always", *QUICK, boot=False)
        taken.until_ready()
        until(lambda: taken.inspect("{{.State.Health.Status}}") == "healthy", "health")
        taken.sh(f"{WRITE}; sync")
        assert MARK.encode() in (taken.storage / "data.img").read_bytes()
        taken.say("poweroff")
        taken.until_logged("is stopped.")
        assert "is stopped" in taken.exec("qd-machine", "health").text
        name = taken.machine().name
        taken.exec("qd", "start", name)
        taken.until_ready(times=2)
        taken.say("agent-off")
        until(lambda: taken.inspect("{{.State.Health.Status}}") == "unhealthy", "the agent's silence")
        assert "stopped answering" in taken.exec("qd-machine", "health", check=False).text
        taken.say("panic")
        taken.until_logged("kernel panicked")
        assert "panicked" in taken.exec("qd-machine", "health", check=False).text
        assert (taken.inspect("{{.RestartCount}}"), taken.inspect("{{.State.Running}}")) == ("0", "true")
        lab.engine("stop", "--time=30", "taken")
        assert taken.exit_code() == 0
    finally:
        print(taken.logs())
        lab.engine("rm", "--force", "taken", check=False)


def test_memory_that_is_not_there_is_told(lab: ContainerLab) -> None:
    code, words = lab.refused("--memory=150m")
    assert (code, "memory" in words) == (3, True)
    with lab.box("starved", "--memory=280m") as box:
        box.until_ready()
        box.say("sh mkdir /m; mount -t tmpfs -o size=240m t /m; dd if=/dev/zero of=/m/x bs=1M count=200")
        assert box.exit_code() == 5
        assert "the memory that this machine may have is used up" in box.logs()
        assert box.inspect("{{.State.OOMKilled}}") == "true"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--env=RAM_SIZE=lots",), 2, "RAM_SIZE"),
        (("--env=PORTS=8006:80",), 2, "PORTS"),
        (("--env=ON_POWEROFF=maybe",), 2, "ON_POWEROFF"),
        (("--env=NETWORK=macvtap",), 3, "macvtap"),
        (("--env=ACCEL=kvm",), 3, "KVM"),
        ((f"--user={NOBODY}",), 3, f"{NOBODY}"),
    ],
)
def test_what_cannot_be_is_refused_with_a_line_that_names_it(lab: ContainerLab, options: tuple[str, ...], code: int, words: str) -> None:
    folder = lab.home / "roots-own"
    folder.mkdir(exist_ok=True)
    got, said = lab.refused(f"--volume={folder}:/storage", *options)
    assert got == code, said
    assert words in said
    assert "Traceback" not in said


def test_a_port_that_another_container_has_is_refused_by_the_engine(lab: ContainerLab) -> None:
    with lab.box("first", "--publish=127.0.0.1:8007:8006") as box:
        code, words = lab.refused("--publish=127.0.0.1:8007:8006")
        assert (code, "8007" in words) == (125, True)
        code, words = lab.refused(f"--volume={box.storage}:/storage")
        assert (code, "is in use" in words) == (2, True), words
        lab.engine("kill", "first")


def test_the_same_image_runs_guests_of_another_architecture(lab: ContainerLab) -> None:
    with lab.box("foreign", "--env=ARCH=aarch64", "--env=BOOT=none", "--env=BOOT_MODE=uefi", "--env=DISK_SIZE=128M", boot=False) as box:
        box.until_logged("BdsDxe")
        assert "qemu-system-aarch64" in box.logs()
        lab.engine("kill", "foreign")


def test_every_other_command_works_in_it(lab: ContainerLab) -> None:
    run = ("run", "--rm", "--network=none", *CONFINED, f"--user={NOBODY}", MACHINE_IMAGE)
    assert lab.engine(*run, "--version").text.startswith("quarterdeck ")
    assert "debian" in lab.engine(*run, "qd", "catalogue", "ls").text
