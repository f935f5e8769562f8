"""Commands in the foreground of a private binfmt_misc: streams, signals, terminal, and what is left when we are killed."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from tests.integration.binfmt import lab

from quarterdeck.core.handle import ProcessHandle

pytestmark = pytest.mark.integration

RUN = """
import sys
from quarterdeck.binfmt.private.instance import open_instance
with open_instance([]) as instance:
    if sys.argv[1] == "pid":
        print(instance.pid, flush=True)
    status = instance.run_foreground(sys.argv[2:])
print("status", status, flush=True)
"""
TRAP = 'trap "echo got; exit 7" INT TERM; echo ready; while :; do sleep 0.05; done'


@pytest.fixture(autouse=True)
def _lab() -> None:
    lab.require_lab()


def words(*command: str, first: str = "-") -> list[str]:
    return [sys.executable, "-c", RUN, first, *command]


def eventually(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    children: list[subprocess.Popen[str]] = []

    def start(argv: list[str], **options) -> subprocess.Popen[str]:
        children.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **options))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 42", 42), ("kill -KILL $$", -9), ("exec /no/such/program", 127)])
def test_the_exit_status_is_the_commands(script, status):
    done = subprocess.run(words("sh", "-c", script), capture_output=True, text=True)
    assert done.stdout == f"status {status}\n"


def test_streams_environment_and_folder_are_the_callers(tmp_path):
    script = 'cat; echo "$WORD $LC_ALL" >&2; pwd'
    env = {**os.environ, "WORD": "kept", "LC_ALL": "POSIX"}
    done = subprocess.run(words("sh", "-c", script), input="typed\n", env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"typed\n{tmp_path}\nstatus 0\n"
    assert done.stderr == "kept POSIX\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_ends_us_goes_to_the_command(started, number):
    child = started(words("sh", "-c", TRAP), start_new_session=True)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    assert child.stdout.read() == "got\nstatus 7\n"


def test_ctrl_c_at_a_terminal_reaches_the_command_once(started):
    ours, terminal = pty.openpty()
    count = 'trap "echo got" INT; echo ready; read line; echo "$line"; exit 5'
    child = started(["setsid", "--ctty", "--wait", *words("sh", "-c", count)], stdin=terminal)
    os.close(terminal)
    try:
        assert child.stdout.readline() == "ready\n"
        os.write(ours, b"\x03")
        assert child.stdout.readline() == "got\n"
        os.write(ours, b"typed\n")
        assert child.stdout.read() in ("typed\nstatus 5\n", "\nstatus 5\n")
    finally:
        os.close(ours)


def test_nothing_is_left_when_we_are_killed(started):
    child = started(words("sh", "-c", "echo $$; exec sleep 300", first="pid"))
    holder, command = (ProcessHandle.find(int(child.stdout.readline())) for _ in range(2))
    assert holder is not None
    assert command is not None
    assert os.readlink(f"/proc/{holder.pid}/ns/mnt") == os.readlink(f"/proc/{command.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    child.kill()
    eventually(lambda: not holder.alive() and not command.alive())


def test_a_command_in_the_background_keeps_the_emulators(started):
    script = '( read line < "$0"; ls /proc/sys/fs/binfmt_misc ) & '
    read, write = os.pipe()
    try:
        child = started(words("sh", "-c", script, f"/proc/self/fd/{read}"), pass_fds=(read,))
        select.select([child.stdout], [], [], 30)
        assert child.stdout.readline() == "status 0\n"
        os.write(write, b"go on\n")
        assert child.stdout.read().split() == ["register", "status"]
    finally:
        os.close(read)
        os.close(write)
