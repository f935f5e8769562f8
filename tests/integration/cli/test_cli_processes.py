"""``qd`` as a process: what it imports, pipes, locales, completion, and preparations that fail."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.boot.cli_lab import QD, qd, terminal

from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime.store import MachineStore

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def home(monkeypatch):
    """A home under a short path: those of pytest are too long for Unix sockets."""
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="qd-"))
    monkeypatch.setenv("QUARTERDECK_HOME", str(made))
    yield made
    shutil.rmtree(made)


def make(name: str, **fields) -> None:
    MachineStore().create(MachineSpec(**{"boot": "debian", "name": name, **fields}))


def imported_by(*words: str) -> set[str]:
    done = subprocess.run([sys.executable, "-X", "importtime", *QD[1:], *words], capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_version_imports_next_to_nothing():
    assert {name for name in imported_by("--version") if name.split(".")[0] in {"typer", "rich", "pydantic", "asyncio"}} == set()


def test_listing_imports_no_spec_no_server_and_no_other_command():
    make("one")
    names = imported_by("ls")
    heavy = {"quarterdeck.machine.spec", "quarterdeck.machine.load", "ruamel.yaml", "aiohttp", "asyncio", "http.client"}
    assert heavy & names == set()
    assert {name for name in names if name.startswith("quarterdeck.host")} == set()
    assert "quarterdeck.cli.run" not in names


def test_five_hundred_machines_are_listed():
    make("first")
    folder = MachineStore().layout("first").root
    for number in range(499):
        shutil.copytree(folder, folder.parent / f"vm{number}")
    assert len(json.loads(qd("ls", "--json").stdout)) == 500
    assert len(qd("ls").stdout.splitlines()) == 501


def test_reader_that_leaves_early_is_no_error():
    for number in range(3):
        make(f"machine-{number}")
    schema = subprocess.Popen([*QD, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert schema.stdout is not None
    assert schema.stderr is not None
    schema.stdout.read(1)
    schema.stdout.close()
    assert schema.stderr.read() == b""
    schema.stderr.close()
    assert schema.wait() in {0, 1}


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"PYTHONIOENCODING": "ascii"}])
def test_names_outside_ascii_are_shown_in_every_locale(locale):
    make("umlaut", boot="/bilder/Größe 名前.qcow2")
    for words in (["ls"], ["ls", "--json"], ["inspect", "umlaut"], ["inspect", "--json", "umlaut"]):
        done = qd(*words, **locale)
        assert (done.returncode, done.stderr) == (0, "")
        assert "qcow2" in done.stdout


def test_colours_are_only_on_terminals_that_want_them():
    make("plain")
    with terminal("ls") as person:
        assert person.code() == 0
        assert b"\x1b[" in person.raw
    with terminal("ls", NO_COLOR="1") as person:
        assert person.code() == 0
        assert b"\x1b[3" not in person.raw
    assert "\x1b" not in qd("ls").stdout


def test_shell_completion_knows_commands_and_machines():
    make("alpha")
    make("beta")
    names = qd(_QD_COMPLETE="complete_bash", COMP_WORDS="qd stop al", COMP_CWORD="2")
    commands = qd(_QD_COMPLETE="complete_bash", COMP_WORDS="qd st", COMP_CWORD="1")
    assert names.stdout.split() == ["alpha"]
    assert set(commands.stdout.split()) == {"start", "stop"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["nosuch"], 2, "there is nothing to boot called 'nosuch'"),
        (["./none.qcow2"], 2, "none.qcow2"),
        (["debian:nosuch"], 2, "no suite 'nosuch'"),
        (["{damaged}"], 4, "cannot be read as qcow2"),
        (["{folder}"], 4, "is a folder"),
        (["{damaged}", "--accel", "tcg", "--viewer", "192.0.2.1:8006"], 2, "192.0.2.1"),
    ],
)
def test_preparation_that_fails_says_why_once_and_leaves_nothing(home, tmp_path, words, code, text):
    damaged = tmp_path / "damaged.qcow2"
    damaged.write_bytes(b"QFI\xfb\0\0\0\3" + bytes(100))
    done = qd("run", *(word.format(damaged=damaged, folder=tmp_path) for word in words))
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert os.listdir(home / "machines") == []


def test_start_of_a_machine_that_cannot_be_prepared_keeps_it():
    make("odd", boot="nosuch")
    done = qd("start", "odd")
    assert done.returncode == 2
    assert MachineStore().get("odd").state == "crashed"
    assert qd("stop", "odd").returncode == 0


def test_interrupted_command_ends_with_130_and_no_traceback():
    make("quiet")
    MachineStore().layout("quiet").vm.mkdir()
    MachineStore().layout("quiet").serial_log.write_text("begins\n")
    follower = subprocess.Popen([*QD, "logs", "-f", "quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "begins\n"
    follower.send_signal(signal.SIGINT)
    _, errors = follower.communicate(timeout=20)
    assert (follower.returncode, errors) == (130, "")


def test_explain_of_an_image_prints_reasons_and_command_and_makes_nothing(home, tmp_path):
    disk = tmp_path / "disk image.raw"
    disk.write_bytes(bytes(1 << 20))
    text = qd("explain", str(disk), "--accel", "tcg", "--arch", "x86_64")
    raw = qd("explain", str(disk), "--accel", "tcg", "--arch", "x86_64", "--json")
    assert (text.returncode, raw.returncode) == (0, 0)
    assert {"Machine", "Why", "qemu"} <= set(text.stdout.splitlines())
    assert "disk image.raw" in text.stdout
    assert {"machine", "choices"} <= set(json.loads(raw.stdout))
    assert not (home / "machines").exists()
