"""Debian guests through all of Quarterdeck: first boot, agent, SSH through a forwarded port, an orderly end."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.boot.cli_lab import qd
from tests.boot.lifecycle_lab import lab
from tests.guests import debian_image

from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.store import MachineStore

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1500)]

_SPEC = """
name: guest
boot: debian
arch: {arch}
cpus: 1
memory: 1G
accel: tcg
viewer: {{port: 0}}
networks:
  - ports: ["{port}:22"]
provision:
  user: captain
  ssh_keys: ["{key}"]
  hostname: quarter-deck
  files:
    - {{path: /etc/quarterdeck test, content: "ça, \\"vá\\"\\n", mode: "0640"}}
  commands:
    - echo ran > /var/lib/ran
    - [touch, /var/lib/ran as a list]
  user_data: |
    #cloud-config
    timezone: Europe/Paris
    runcmd:
      - echo mine > /var/lib/ran-too
"""

_QUESTIONS = """\
uname -m; hostname; id -un
sudo cat '/etc/quarterdeck test'
cloud-init status --wait > /dev/null
ls /var/lib/ran*
readlink /etc/localtime
sudo cloud-init schema --system > /dev/null 2>&1; echo schema $?
sudo id -u
"""


@pytest.mark.parametrize(("arch", "machine", "port"), [("x86_64", "x86_64", 22731), ("aarch64", "aarch64", 22732)])
def test_a_debian_guest_is_provisioned_answers_and_is_reached_by_ssh(tmp_path: Path, arch: str, machine: str, port: int):
    images = debian_image(arch)
    with lab() as made:
        _borrow(images, made.store.root.parent / "images")
        key = _key(tmp_path)
        spec = tmp_path / "guest.yaml"
        spec.write_text(_SPEC.format(arch=arch, port=port, key=f"{key}.pub"))
        started = qd("run", str(spec), "--detach", "--progress", "plain")
        assert started.returncode == 0, started.stderr
        _wait_until_ready(made.store)
        told = _ssh(key, port, _QUESTIONS)
        assert told.splitlines() == [
            machine,
            "quarter-deck",
            "captain",
            'ça, "vá"',
            "/var/lib/ran",
            "/var/lib/ran as a list",
            "/var/lib/ran-too",
            "/usr/share/zoneinfo/Europe/Paris",
            "schema 0",
            "0",
        ]
        assert int(_ssh(key, port, "df --output=size -B1 /").split()[1]) > 15 << 30
        guest = SupervisorClient(made.store.layout("guest").api_socket).request("GET", "/guest")
        assert guest["hostname"] == "quarter-deck"
        assert qd("stop", "guest", timeout=180).returncode == 0
        record = json.loads(qd("inspect", "guest", "--json").stdout)
        assert record["state"] == "stopped"
        assert "Power down" in (made.store.layout("guest").serial_log).read_text(errors="replace")


def _borrow(images: Path, into: Path) -> None:
    """Lend the images to a home that QEMU's own user can walk to; hard links where the file system allows."""
    shutil.copytree(images, into, copy_function=_link_or_copy, ignore=shutil.ignore_patterns(".*"))


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _key(folder: Path) -> Path:
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, stdin=subprocess.DEVNULL)
    return key


def _wait_until_ready(store: MachineStore) -> None:
    deadline = time.monotonic() + 600
    while store.get("guest").state != "ready":
        assert time.monotonic() < deadline, qd("logs", "guest", "--lines", "40").stdout
        time.sleep(1)


def _ssh(key: Path, port: int, command: str) -> str:
    """Run ``command`` in the guest; its SSH server may come up a little later than its agent."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "ConnectTimeout=20", "LogLevel=ERROR"]
    words = ["ssh", "-F", "none", "-i", str(key), "-p", str(port), *(word for option in options for word in ("-o", option))]
    deadline = time.monotonic() + 300
    while True:
        done = subprocess.run([*words, "captain@127.0.0.1", command], capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline, done.stderr
        time.sleep(2)
