"""``qd binfmt`` as its users call it, in a binfmt_misc of its own."""

import json
import os
import shlex
import sys
from pathlib import Path

import pytest
from tests.integration.binfmt.lab import require_lab, run_isolated

from quarterdeck.binfmt.private.instance import Instance, open_instance
from quarterdeck.core import process

pytestmark = pytest.mark.integration

QD = [sys.executable, "-m", "quarterdeck"]
DROP_IN = [sys.executable, "-I", "-m", "quarterdeck.cli.binfmt.drop_in"]
ENTRIES = Path("/proc/sys/fs/binfmt_misc")


class Lab:
    """Commands in one namespace, so that what one registers the next one finds."""

    def __init__(self, instance: Instance, home: Path) -> None:
        self.instance = instance
        self.home = home

    def call(self, *argv: str | Path, **environment: str) -> process.Completed:
        env = {"QUARTERDECK_HOME": str(self.home), **environment}
        return process.run(self.instance.argv(argv), check=False, env=env, timeout=120)

    def qd(self, *words: str) -> process.Completed:
        return self.call(*QD, "binfmt", *words)

    def json(self, *words: str):
        return json.loads(self.qd(*words, "--json").stdout)

    def entry(self, name: str) -> str:
        return self.call("cat", ENTRIES / name).text


@pytest.fixture
def lab(tmp_path):
    require_lab()
    with open_instance([]) as instance:
        yield Lab(instance, tmp_path)


def test_all_emulators_are_installed_proved_and_removed(lab):
    done = lab.qd("install", "all", "--no-persist")
    assert done.returncode == 0
    status = lab.json("status")
    count = len([entry for entry in status["entries"] if entry["emulator"]])
    assert count > 25
    assert done.stderr.decode().splitlines()[-1] == f"{count} of {count} emulators proved"
    runs = {platform["platform"]: platform["runs"] for platform in status["platforms"]}
    assert (runs["linux/amd64"], runs["linux/arm64"], runs["linux/riscv64"]) == ("native", "emulated", "emulated")
    assert lab.qd("uninstall", "all").returncode == 0
    assert lab.json("status")["entries"] == []


def test_an_installation_that_is_right_already_changes_nothing(lab):
    lab.qd("install", "arm64", "riscv64", "--no-persist")
    again = lab.json("install", "arm64,riscv64", "--no-persist")
    assert {step["action"] for step in again["plan"]["steps"]} == {"keep"}
    assert again["applied"] == []
    assert all(proof["ok"] for proof in again["proofs"])


def test_a_dry_run_shows_the_plan_and_does_nothing(lab):
    done = lab.qd("install", "linux/arm64", "--dry-run")
    assert done.returncode == 0
    assert done.text.startswith("add")
    assert lab.json("status")["entries"] == []
    assert list(lab.home.iterdir()) == []


def test_an_old_emulator_of_arm64_gets_the_fast_cpu_model_and_the_user_may_say_no(lab):
    lab.qd("install", "arm64", "--no-persist", "--no-prove")
    version = tuple(map(int, lab.json("status")["entries"][0]["version"].split(".")))
    copied = str(lab.home) in lab.entry("qemu-aarch64")
    assert copied == (version < (10, 0))
    lab.qd("install", "arm64", "--no-persist", "--cpu", "default")
    assert str(lab.home) not in lab.entry("qemu-aarch64")


def test_flags_are_the_ones_that_were_asked_for(lab):
    lab.qd("install", "riscv64", "--no-persist", "--no-prove", "--flags", "f")
    assert "flags: F\n" in lab.entry("qemu-riscv64")
    assert lab.qd("prove", "riscv64").returncode == 0
    lab.qd("install", "riscv64", "--no-persist", "--no-prove", "--flags", "OC")
    proved = lab.qd("prove", "riscv64")
    assert proved.returncode == 1
    assert b"riscv64: exec: " in proved.stderr


def test_a_folder_of_emulators_is_used_instead_of_the_systems(lab, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    source = process.find("qemu-riscv64-static") or process.find("qemu-riscv64")
    (folder / "old-qemu-riscv64").write_bytes(Path(str(source)).read_bytes())
    (folder / "old-qemu-riscv64").chmod(0o755)
    done = lab.qd("install", "all", "--no-persist", "--from", str(folder), "--prefix", "old-qemu-")
    assert done.returncode == 0
    assert str(folder) in lab.entry("qemu-riscv64")


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["install", "arm46"], 2, "did you mean"),
        (["install", "all", "--flags", "X"], 2, "unknown: X"),
        (["install", "amd64" if os.uname().machine == "x86_64" else "arm64"], 0, "itself"),
        (["install", "--dry-run", "amd64" if os.uname().machine == "x86_64" else "arm64"], 0, "itself"),
        (["uninstall", "all", "--dry-run"], 0, "nothing to do"),
        (["install", "arm64", "--cpu", "nonsense"], 2, "no CPU model 'nonsense'"),
        (["install", "arm64", "--from", "/etc"], 3, "/etc"),
        (["install", "all", "--mount", "/tmp"], 3, "from inside a user namespace"),
        (["uninstall", "nothing"], 2, "neither an entry nor an architecture"),
        (["run", "--arch", "mars", "true"], 2, "no architecture"),
        (["run", "--arch", "arm64", "--", "no-such-program"], 3, "no-such-program"),
    ],
)
def test_what_cannot_be_done_says_why(lab, words, status, text):
    done = lab.qd(*words)
    assert (done.returncode, text in done.stderr.decode()) == (status, True), done.stderr.decode()


def test_a_foreign_entry_is_never_touched(lab):
    lab.call("sh", "-c", f"echo ':qemu-arm:E::arm::/bin/true:' > {ENTRIES}/register")
    refused = lab.qd("install", "arm", "riscv64", "--no-persist")
    assert refused.returncode == 3
    assert b"not QEMU" in refused.stderr
    tried = lab.qd("install", "arm", "riscv64", "--dry-run")
    assert (tried.returncode, tried.text.split()[:2]) == (3, ["refuse", "qemu-arm:"])
    assert lab.qd("uninstall", "qemu-arm").returncode == lab.qd("uninstall", "arm", "--dry-run").returncode == 3
    assert lab.call(*DROP_IN, "--uninstall", "arm").returncode == 3
    assert [entry["name"] for entry in lab.json("status")["entries"]] == ["qemu-arm"]


def test_a_command_runs_with_emulators_of_its_own(lab):
    done = lab.qd("run", "--arch", "s390x", "--flags", "F", "--", *QD, "binfmt", "status", "--json")
    assert [(entry["name"], entry["flags"]) for entry in json.loads(done.stdout)["entries"]] == [("qemu-s390x", "F")]
    assert lab.json("status")["entries"] == []
    assert lab.qd("run", "--", "sh", "-c", "exit 7").returncode == 7
    assert lab.qd("run", "--", "sh", "-c", "kill -TERM $$").returncode == 143


def test_the_image_answers_as_the_rival_does_with_more_beside(lab):
    done = lab.call(*DROP_IN, "--install", "amd64,arm64,riscv64")
    state = json.loads(done.stdout)
    assert done.returncode == 0
    assert b"installing: aarch64 OK" in done.stderr
    assert {"linux/arm64", "linux/riscv64"} <= set(state["supported"])
    assert state["emulators"] == ["qemu-aarch64", "qemu-riscv64"]
    assert [proof["ok"] for proof in state["proofs"]] == [True, True]
    gone = lab.call(*DROP_IN, "-uninstall", "qemu-*")
    assert (gone.returncode, json.loads(gone.stdout)["emulators"]) == (0, [])


def test_the_image_fails_when_something_failed(lab):
    done = lab.call(*DROP_IN, "--install", "mars")
    assert done.returncode == 2
    assert json.loads(done.stdout)["emulators"] == []


@pytest.mark.parametrize(("place", "text"), [("/dev/full", "No space left"), ("| true", "")])
def test_an_output_that_cannot_be_written_is_no_traceback(lab, place, text):
    command = f"set -o pipefail; {shlex.join(DROP_IN)} {place if place.startswith('|') else f'> {place}'}"
    done = lab.call("bash", "-c", command)
    assert (done.returncode, b"Traceback" in done.stderr, text in done.stderr.decode()) == (3, False, True)


@pytest.mark.parametrize(("wish", "flags"), [("1", "POCF"), ("", "OCF")])
def test_the_rivals_variables_are_understood(lab, tmp_path, wish, flags):
    (tmp_path / "bin").mkdir()
    source = process.find("qemu-riscv64-static") or process.find("qemu-riscv64")
    (tmp_path / "bin" / "my-qemu-riscv64").symlink_to(str(source))
    variables = {"QEMU_BINARY_PATH": str(tmp_path / "bin"), "QEMU_BINARY_PREFIX": "my-", "QEMU_PRESERVE_ARGV0": wish}
    done = lab.call(*DROP_IN, "--install", "riscv64", **variables)
    assert done.returncode == 0, done.stderr
    assert f"flags: {flags}\n" in lab.entry("qemu-riscv64")


def test_an_ordinary_user_is_told_what_can_be_done_without_root():
    done = run_isolated(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *QD, "binfmt", "install", "arm64"], check=False
    )
    assert done.returncode == 3
    assert b"qd binfmt run" in done.stderr
