"""scripts/setup, with stand-ins for the tools that would change the host."""

import os
import shutil
from pathlib import Path

import pytest

from quarterdeck.core import process
from quarterdeck.core.process import Completed

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
INSTALLED = "installed python3\ninstalled ca-certificates\n"


class Checkout:
    """A checkout with the scripts only, and a folder of stand-ins that comes first on PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.stand_ins = root / "bin"
        self.stand_ins.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.stand_in("dpkg", "case $1 in --print-architecture) echo amd64 ;; esac")
        self.stand_in("dpkg-query", f"printf '{INSTALLED}'")
        self.stand_in("apt-cache", "true")
        self.stand_in("apt-get", f'echo "$*" >>{root}/apt-get.log; exit ${{APT_STATUS:-0}}')
        self.stand_in("id", "echo ${FAKE_UID:-1000}")
        self.stand_in("sudo", "exit 1")
        self.log = root / "apt-get.log"

    def stand_in(self, name: str, script: str) -> None:
        path = self.stand_ins / name
        path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def setup(self, *words: str, **env: str) -> Completed:
        path = f"{self.stand_ins}:{os.environ['PATH']}"
        return process.run([self.root / "scripts" / "setup", *words], env={"PATH": path, **env}, check=False, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_root_the_line_to_run_is_printed(checkout: Checkout) -> None:
    done = checkout.setup("run")
    words = done.stderr.decode()
    assert done.returncode == 3
    assert "apt-get update && apt-get install --no-install-recommends --yes " in words
    assert "mmdebstrap" in words
    assert "qemu-system-x86" in words
    assert "ca-certificates" not in words.partition("apt-get install")[2]
    assert not checkout.log.exists()


def test_packages_of_other_hosts_and_of_tests_are_left_out(checkout: Checkout) -> None:
    line = checkout.setup("run").stderr.decode().partition("apt-get install")[2]
    assert "qemu-system-arm" not in line
    assert "chromium" not in line


def test_what_this_release_does_not_have_is_left_out(checkout: Checkout) -> None:
    checkout.stand_in("apt-cache", "echo 'virtiofsd | 1.13 | archive'")
    line = checkout.setup("test").stderr.decode().partition("apt-get install")[2].split()
    assert "virtiofsd" in line
    assert "qemu-system-riscv" not in line
    assert not [word for word in line if "?" in word]


def test_a_mirror_that_cannot_be_reached_is_said(checkout: Checkout) -> None:
    done = checkout.setup("run", FAKE_UID="0", APT_STATUS="100")
    assert done.returncode == 3
    assert "Is the network up?" in done.stderr.decode()


def test_lists_are_fetched_before_packages(checkout: Checkout) -> None:
    checkout.stand_in("apt-get", f'echo "$*" >>{checkout.log}; [[ $* != *install* ]]')
    done = checkout.setup("run", FAKE_UID="0")
    assert "build/apt.log" in done.stderr.decode()
    calls = checkout.log.read_text(encoding="utf-8").splitlines()
    assert calls[0].endswith("update")
    assert " install --no-install-recommends --yes " in calls[1]


def test_an_unknown_lane_is_refused(checkout: Checkout) -> None:
    done = checkout.setup("everything")
    assert done.returncode == 2
    assert "run, test, engines and docs" in done.stderr.decode()
