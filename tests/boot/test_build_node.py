"""A machine of ours as the native node of a build, and its death in the middle of one. One boot serves both: it is emulated."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.boot.cli_lab import QD, qd
from tests.boot.lifecycle_lab import Lab, lab
from tests.engines.podman import Storage
from tests.foreign_roots import busybox
from tests.guests import engine_guest
from tests.integration.build.nodes_lab import free_port, make_key

from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import find_arch, host_arch

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1500)]

GUEST = find_arch("x86_64" if host_arch().name == "aarch64" else "aarch64")
HOST, FOREIGN = Platform.of_host(), Platform.parse(GUEST.oci)
PATIENCE = 600.0

SPEC = """
name: far
boot: {disk}
arch: {arch}
cpus: 2
memory: 1G
accel: tcg
viewer: {{port: 0}}
networks:
  - ports: ["{port}:22"]
provision:
  user: captain
  ssh_keys: ["{key}.pub"]
"""

# Programs say whose kernel runs them: where they are emulated that is this host's.
DOCKERFILE = r"""
FROM scratch
ARG TARGETARCH
COPY ${TARGETARCH} /bin/busybox
ARG WAIT_ON=nobody
RUN ["/bin/busybox", "sh", "-c", "read -r kernel </proc/sys/kernel/osrelease; echo runs on $kernel; \
    if [ $kernel = $WAIT_ON ]; then echo waits; sleep 600; fi; echo $kernel >/kernel"]
"""


@dataclass
class Node:
    """The machine ``far``, and builds for it and for this host in the folder ``context``."""

    made: Lab
    context: Path
    env: dict[str, str]

    def build(self, *words: str, log: Path) -> subprocess.Popen[str]:
        """Start a build, which shows its progress in ``log`` and tells all about it at its end."""
        fixed = ["--platform", f"{HOST},{FOREIGN}", "-t", "app:1", "-o", f"{log}.tar", "--progress", "plain", "--json"]
        with log.open("w") as stream:
            return subprocess.Popen(
                [*QD, "build", *fixed, *words, str(self.context)],
                env={**os.environ, **self.env},
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )

    def kill(self) -> None:
        """Take the machine's power away."""
        pid = self.made.store.get("far").pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def node(tmp_path: Path, host_podman: Storage) -> Iterator[Node]:
    if not Path(f"/proc/sys/fs/binfmt_misc/qemu-{GUEST.user}").exists():
        pytest.skip(f"no emulator for {GUEST.name} is registered on this host, which is to step in for the node")
    key = tmp_path / "key"
    make_key(key)
    spec = tmp_path / "far.yaml"
    spec.write_text(SPEC.format(disk=engine_guest(GUEST.name).disk, arch=GUEST.name, port=free_port(), key=key))
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    for platform in (HOST, FOREIGN):
        assert platform.arch is not None
        (context / platform.architecture).write_bytes(busybox(platform.arch.name))
        (context / platform.architecture).chmod(0o755)
    with lab() as made, tempfile.TemporaryDirectory(prefix="qd-", dir="/tmp") as short:
        # The folder of shared connections has to be a short one.
        env = {**host_podman.env, "XDG_RUNTIME_DIR": short, "DOCKER_HOST": "unix:///nowhere"}
        started = qd("run", str(spec), "--detach", "--progress", "plain")
        assert started.returncode == 0, started.stderr
        wait_for(lambda: made.store.get("far").state == "ready", lambda: qd("logs", "far", "--lines", "40").stdout)
        added = qd(
            "nodes",
            "add",
            "far",
            "machine://far",
            "--identity",
            str(key),
            "--accept-host-key",
            "--json",
            "--timeout",
            "300",
            timeout=PATIENCE,
            **env,
        )
        assert added.returncode == 0, added.stderr
        assert json.loads(added.stdout)["platforms"][str(FOREIGN)] == "native"
        yield Node(made, context, env)
        wait_for(lambda: made.processes() == [], lambda: str(made.processes()))


def test_a_machine_builds_natively_and_this_host_steps_in_when_it_dies_in_the_middle(node: Node, tmp_path: Path) -> None:
    log = tmp_path / "native.log"
    both = finished(node.build(log=log), log)
    assert {one: (both[one]["node"], both[one]["emulated"]) for one in both} == {str(HOST): ("local", False), str(FOREIGN): ("far", False)}
    here, there = os.uname().release, kernel(log, FOREIGN)
    assert kernel(log, HOST) == here != there
    assert qd("image", "check", f"{log}.tar", "--platform", f"{HOST},{FOREIGN}").returncode == 0

    log = tmp_path / "killed.log"
    building = node.build("--build-arg", f"WAIT_ON={there}", log=log)
    wait_for(lambda: "waits\n" in log.read_text() and f"{HOST} DONE" in log.read_text(), log.read_text)
    node.kill()
    both = finished(building, log)
    assert {one: (both[one]["node"], both[one]["emulated"]) for one in both} == {str(HOST): ("local", False), str(FOREIGN): ("local", True)}
    shown = log.read_text().splitlines()
    assert [line.partition(" with ")[0] for line in shown if " builds on " in line] in (
        [f"{HOST} builds on local", f"{FOREIGN} builds on far", f"{FOREIGN} builds on local"],
        [f"{FOREIGN} builds on far", f"{HOST} builds on local", f"{FOREIGN} builds on local"],
    )
    assert [line.rpartition(": ")[2] for line in shown if line.startswith("node far is lost (")] == [f"{FOREIGN} goes to local (emulated)"]
    assert kernel(log, FOREIGN) == here
    assert qd("image", "check", f"{log}.tar", "--platform", f"{HOST},{FOREIGN}").returncode == 0
    wait_for(lambda: node.made.store.get("far").state == "crashed", lambda: node.made.store.get("far").state)


def finished(building: subprocess.Popen[str], log: Path) -> dict:
    """Wait for the end of a build; return what is told of each platform."""
    told, _ = building.communicate(timeout=PATIENCE)
    assert building.returncode == 0, log.read_text()
    platforms: dict = json.loads(told)["quarterdeck.platforms"]
    return platforms


def kernel(log: Path, platform: Platform) -> str:
    """Return the release of the kernel that ran the programs of a platform to their end."""
    return [line for line in log.read_text().splitlines() if line.startswith(f"{platform} ") and " runs on " in line][-1].rpartition(" ")[2]


def wait_for(condition, told) -> None:
    """Wait until ``condition`` holds; else what is ``told`` may say why it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.5)
