"""The commands that do something with a machine in the background, and several of them at once."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.boot.cli_lab import QD, boot_words, plain, qd, terminal
from tests.boot.lifecycle_lab import Lab, lab
from tests.tiny_guest import READY

pytestmark = pytest.mark.boot


@pytest.fixture(name="shared", scope="module")
def _shared() -> Iterator[Lab]:
    """A lab with one machine that runs, for tests that leave it running."""
    with lab() as made:
        done = qd(*boot_words("tiny", "--detach"))
        assert done.returncode == 0, done.stderr
        with terminal("serial", "tiny") as person:
            person.expect(READY)
        yield made
        assert qd("rm", "--force", "--yes", "tiny").returncode == 0


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


def test_running_machine_is_listed_and_inspected(shared):
    (listed,) = json.loads(qd("ls", "--json").stdout)
    inspected = json.loads(qd("inspect", "tiny", "--json").stdout)
    assert listed["supervised"]
    assert listed["qemu_alive"]
    assert listed["state"] in {"running", "ready"}
    assert inspected["spec"]["name"] == "tiny"
    assert f"pid {listed['pid']}" in qd("inspect", "tiny").stdout


def test_narrow_terminal_keeps_names_and_states_on_one_line(shared):
    with terminal("ls", columns=45) as person:
        assert person.code() == 0
    lines = person.shown.strip().splitlines()
    assert [line.split()[:2] for line in lines] == [["NAME", "STATE"], ["tiny", lines[1].split()[1]]]
    assert max(map(len, lines)) <= 45


def test_start_of_a_running_machine_says_so(shared):
    done = qd("start", "tiny")
    assert done.returncode == 0
    assert "already. Its console: qd open tiny" in done.stderr


def test_open_prints_a_link(shared):
    watch = qd("open", "--print", "--view-only", "tiny")
    assert watch.returncode == 0
    assert watch.stdout.startswith("http://127.0.0.1:")
    assert watch.stdout != qd("open", "--print", "tiny").stdout


def test_screenshot_goes_to_a_file_or_a_pipe_but_not_to_a_terminal(shared, tmp_path):
    target = tmp_path / "bild ü.png"
    assert qd("screenshot", "tiny", str(target)).stdout == f"{target}\n"
    assert target.read_bytes().startswith(b"\x89PNG")
    piped = subprocess.run([*QD, "screenshot", "tiny", "-"], capture_output=True, check=True)
    assert piped.stdout.startswith(b"\x89PNG")
    with terminal("screenshot", "tiny", "-") as person:
        assert person.code() == 2
    unwritable = qd("screenshot", "tiny", str(tmp_path / "none" / "x.png"))
    assert unwritable.returncode == 2
    assert "cannot be written" in unwritable.stderr


def test_serial_gives_the_terminal_back_as_it_was(shared):
    with terminal("serial", "tiny") as person:
        person.expect("Leave with Ctrl-].")
        person.expect(READY)
        person.type("echo grüße\r")
        person.expect("> grüße")
        person.type("\x03echo after\r")
        person.expect("after")
        assert person.process.poll() is None
        person.type("\x1d")
        assert person.code() == 0
        assert person.modes_now() == person.modes


def test_serial_in_a_pipe_types_what_it_is_given(shared):
    serial = subprocess.Popen([*QD, "serial", "tiny"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert serial.stdin is not None
    assert serial.stdout is not None
    serial.stdin.write(b"echo piped\n")
    serial.stdin.close()
    seen = b""
    while b"> piped" not in seen:
        seen += os.read(serial.stdout.fileno(), 4096)
    serial.terminate()
    serial.wait()
    serial.stdout.close()


def test_logs_show_the_last_lines_and_follow(shared):
    assert READY in qd("logs", "tiny").stdout
    assert len(qd("logs", "-n", "1", "tiny").stdout.splitlines()) == 1
    assert qd("logs", "-n", "0", "tiny").stdout == ""
    with terminal("logs", "-f", "-n", "1", "tiny") as follower, terminal("serial", "tiny") as typist:
        typist.expect(READY)
        typist.type("echo followed\r")
        follower.expect("> followed")
        follower.type("\x03")
        assert follower.code() == 130
        assert "Traceback" not in follower.shown


def test_running_machine_is_not_removed_without_force(shared):
    refused = qd("rm", "--yes", "tiny")
    assert refused.returncode == 2
    assert "qd stop tiny" in refused.stderr


def test_failure_with_one_machine_does_not_keep_others_from_being_paused(shared):
    done = qd("pause", "tinny", "tiny")
    assert (done.returncode, done.stdout) == (2, "tiny\n")
    assert "did you mean tiny?" in done.stderr
    assert qd("pause", "tiny").returncode == 2
    assert qd("resume", "tiny").returncode == 0


def test_many_starts_at_once_start_one_machine(lab):
    lab.create()
    with ExitStack() as stack:
        starts = [
            stack.enter_context(subprocess.Popen([*QD, "start", "tiny"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            for _ in range(6)
        ]
        answers = [start.communicate(timeout=60) for start in starts]
    assert [start.returncode for start in starts] == [0] * 6, answers
    assert len([pid for pid in lab.processes() if _is_qemu(pid)]) == 1
    assert lab.store.get("tiny").supervised
    stopped = [subprocess.Popen([*QD, "stop", "-f", "tiny"], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [stop.wait(60) for stop in stopped] == [0] * 4
    assert lab.store.get("tiny").state == "stopped"


def test_many_machines_of_one_name_at_once_make_one(lab):
    words = boot_words("same", "--detach")
    runs = [subprocess.Popen([*QD, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    answers = [run.communicate(timeout=60)[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 2, 2, 2, 2], answers
    assert sum("there is a machine called 'same' already" in plain(answer) for answer in answers) == 4
    assert lab.store.names() == ["same"]
    with terminal("rm", "-f", "same") as person:
        person.expect("Delete same with all disks, and cut the power of same? [y/N]:")
        person.type("y\r")
        assert person.code() == 0
    assert lab.store.names() == []


def test_stop_while_it_is_being_prepared_and_start_right_after(lab):
    lab.create()
    start = subprocess.Popen([*QD, "start", "tiny"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not lab.store.get("tiny").supervised:
        time.sleep(0.01)
    assert qd("stop", "-f", "tiny").returncode == 0
    assert start.communicate(timeout=60)[1]
    assert qd("start", "tiny").returncode == 0
    assert qd("stop", "-f", "tiny").returncode == 0
    assert qd("rm", "-y", "tiny").stdout == "tiny\n"


def _is_qemu(pid: int) -> bool:
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().startswith("qemu-system")
