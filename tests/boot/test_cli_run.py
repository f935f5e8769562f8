"""``qd run`` and ``qd start --attach`` in the foreground: what they show, and how they end."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

import pytest
from tests.boot.cli_lab import boot_words, qd, terminal
from tests.boot.lifecycle_lab import Lab, lab
from tests.tiny_guest import READY

pytestmark = pytest.mark.boot


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


def test_foreground_shows_steps_the_link_and_what_happens_until_the_guest_powers_off(lab):
    with terminal(*boot_words()) as person:
        person.expect("✓ Disk")
        shown = person.expect("tiny is running: http://127.0.0.1:")
        assert "Watch it at http://127.0.0.1:" in shown
        assert "✓ QEMU" in shown
        assert shown.count("· Guest") == 1
        person.expect("tiny is ready.")
        assert qd("pause", "tiny").stdout == "tiny\n"
        person.expect("tiny is paused.")
        qd("resume", "tiny")
        person.expect("tiny runs again.")
        with terminal("serial", "tiny") as typist:
            typist.expect(READY)
            typist.type("panic\r")
            person.expect("tiny is halted: the guest's kernel panicked.")
            typist.type("\x1d")
            assert typist.code() == 0
        with terminal("serial", "tiny") as typist:
            ready = person.shown.count("tiny is ready.")
            qd("restart", "tiny")
            person.expect("tiny starts again.")
            person.expect("tiny is ready.", times=ready + 1)
            typist.type("poweroff\r")
            assert typist.code() == 0
        assert person.code() == 0
        assert person.shown.rstrip().endswith("tiny ended: the guest powered itself off.")
        assert "Traceback" not in person.shown
    assert lab.sockets() == []


def test_first_interrupt_shuts_down_and_the_second_cuts_the_power(lab):
    with terminal(*boot_words(), NO_COLOR="1") as person:
        person.expect("tiny is ready.")
        with terminal("serial", "tiny") as typist:
            typist.expect(READY)
            typist.type("ignore-power\r")
            typist.expect("> ignoring")
            typist.type("\x1d")
            typist.code()
        person.type("\x03")
        person.expect("Shutting tiny down; Ctrl-C again cuts its power.")
        time.sleep(1)
        assert person.process.poll() is None
        person.type("\x03")
        person.expect("Cutting the power of tiny.")
        assert person.code() == 130
        assert b"\x1b[3" not in person.raw  # no colours


def test_term_shuts_down_and_removes_what_was_to_be_removed(lab):
    with terminal(*boot_words("tiny", "--rm")) as person:
        person.expect("tiny is ready.")
        person.send(signal.SIGTERM)
        assert person.code() == 143
    assert lab.store.names() == []


def test_closed_terminal_shuts_the_guest_down(lab):
    with terminal(*boot_words()) as person:
        person.expect("tiny is ready.")
        person.hang_up()
        assert person.code() == 129
    assert lab.store.get("tiny").reason == "stopped as asked"


def test_interrupt_while_it_is_being_prepared_leaves_nothing_behind(lab):
    with terminal(*boot_words()) as person:
        while not lab.store.names():
            time.sleep(0.01)
        person.type("\x03")
        assert person.code() == 130
    assert lab.store.names() == []


def test_crash_ends_with_5_and_says_where_the_log_is(lab):
    with terminal(*boot_words()) as person:
        person.expect("tiny is running")
        os.kill(lab.store.get("tiny").pid or 0, signal.SIGKILL)
        assert person.code() == 5
        assert "error: QEMU was killed by SIGKILL" in person.shown
        assert "qemu.log" in person.shown
    assert lab.store.get("tiny").state == "crashed"


def test_killed_supervisor_is_told_and_the_machine_can_be_taken_over(lab):
    with terminal(*boot_words()) as person:
        person.expect("tiny is ready.")
        _kill_supervisor(lab)
        assert person.code() == 5
        assert "the supervisor of 'tiny' ended, the machine runs on" in person.shown
        assert "qd start tiny" in person.shown
    assert "(no supervisor)" in qd("ls").stdout
    pid = lab.store.get("tiny").pid
    with terminal("start", "--attach", "tiny") as person:
        person.expect("The supervisor of tiny is gone: taking the machine over.")
        person.expect("tiny is r")
        assert lab.store.get("tiny").pid == pid
        _kill_supervisor(lab)
        assert person.code() == 5
    paused = qd("pause", "tiny")
    assert (paused.returncode, paused.stdout) == (0, "tiny\n")
    assert "taking the machine over" in paused.stderr
    assert qd("stop", "tiny", "--force").returncode == 0


def test_machine_that_was_stopped_on_its_page_can_be_started_there_again(lab):
    with terminal(*boot_words()) as person:
        shown = person.expect("tiny is ready.")
        link = next(word for word in shown.split() if "login?token" in word)
        page = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        page.open(link).read()
        _press(page, link, "kill")
        person.expect("tiny was stopped from its console.")
        assert qd("start", "tiny").returncode == 0
        person.expect("tiny starts again.")
        _press(page, link, "kill")
        person.expect("start it again there. Ctrl-C ends this.")
        person.type("\x03")
        assert person.code() == 130


def test_plain_progress_in_a_pipe_has_no_colours_and_result_on_stdout(lab):
    done = qd(*boot_words("tiny", "--detach", "--viewer", "off"), FORCE_COLOR="")
    assert done.returncode == 0
    assert done.stdout == "tiny is running\n"
    assert "Disk     ok" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert qd("rm", "-f", "--yes", "tiny").returncode == 0


def test_json_progress_is_a_line_for_each_event_and_a_result(lab):
    done = qd(*boot_words("tiny", "--detach", "--progress", "json"))
    events = [json.loads(line) for line in done.stderr.splitlines()]
    result = json.loads(done.stdout)
    assert {event["type"] for event in events} >= {"step", "state"}
    assert (result["name"], result["state"]) == ("tiny", "running")
    assert qd("stop", "-f", "tiny").returncode == 0


def _kill_supervisor(lab: Lab) -> None:
    mark = b"quarterdeck.cli.supervise"
    for pid in lab.processes():
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if mark in file.read():
                os.kill(pid, signal.SIGKILL)


def _press(page: urllib.request.OpenerDirector, link: str, action: str) -> None:
    root = link.partition("/login")[0]
    request = urllib.request.Request(f"{root}/api/v1/machine/{action}", data=b"{}", method="POST")
    request.add_header("Origin", root)
    request.add_header("Content-Type", "application/json")
    page.open(request).read()
