import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import process
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Identity
from quarterdeck.errors import DeadlineError, HostError, QuarterdeckError, UsageError

pytestmark = pytest.mark.integration

PYTHON = sys.executable
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def gone(pid: int) -> Any:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


async def both(argv: list[str], **options: Any) -> Any:
    """Run the same command outside and inside the event loop."""
    return [await asyncio.to_thread(process.run, argv, **options), await process.run_async(argv, **options)]


async def test_output_input_and_status_come_back() -> None:
    for done in await both(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"a\0b", check=False):
        assert (done.stdout, done.stderr, done.returncode) == (b"a\0b", b"err\n", 3)


async def test_standard_input_is_empty_unless_given() -> None:
    for done in await both(["cat"], timeout=10):
        assert done.stdout == b""


async def test_arguments_arrive_untouched() -> None:
    words = ["a b", "c,d", "'e\"", "$HOME", "Küche", ""]
    for done in await both(["printf", "%s\n", *words]):
        assert done.text.split("\n")[:-1] == words


async def test_a_failure_names_the_command_and_its_last_words() -> None:
    with pytest.raises(process.ProcessError) as caught:
        await process.run_async(["sh", "-c", "echo 'so it is' >&2; exit 4"])
    assert caught.value.message == "sh exited with status 4"
    assert caught.value.reason == "so it is"
    assert "sh -c" in caught.value.hint


async def test_a_signal_is_named() -> None:
    for done in await both(["sh", "-c", "kill -SEGV $$"], check=False):
        assert process.describe_status(done.returncode) == "was killed by SIGSEGV"
    assert process.describe_status(-300) == "was killed by signal 300"


@pytest.mark.parametrize(
    ("argv", "options", "kind", "key"),
    [
        (["no-such-program-xyz"], {}, HostError, "program-missing"),
        (["/etc"], {}, HostError, "program-not-started"),
        (["true"], {"cwd": "/no/such/folder"}, HostError, "folder-missing"),
        (["true", "a\0b"], {}, UsageError, "invalid-argument"),
        (["true", "x" * 3_000_000], {}, HostError, "program-not-started"),
    ],
)
async def test_what_cannot_be_started_is_an_error_for_people(
    argv: list[str], options: dict[str, Any], kind: type[QuarterdeckError], key: str
) -> None:
    with pytest.raises(kind) as caught:
        process.run(argv, **options)
    assert caught.value.key == key
    with pytest.raises(kind) as caught:
        await process.run_async(argv, **options)
    assert caught.value.key == key
    with pytest.raises(kind) as caught, open(os.devnull, "wb") as log:  # noqa: ASYNC230
        process.spawn(argv, log=log.fileno(), **options)
    assert caught.value.key == key


async def test_a_deadline_ends_the_program_and_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    with pytest.raises(DeadlineError):
        await process.run_async(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], timeout=0.5)
    child = int(note.read_text(encoding="ascii"))
    assert gone(child)


async def test_cancelling_ends_the_program(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    said = asyncio.Event()
    script = f"echo $$ > {note}; echo ready >&2; exec sleep 60"
    task = asyncio.create_task(process.run_async(["sh", "-c", script], on_line=lambda line: said.set()))
    await said.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(int(note.read_text(encoding="ascii")))


async def test_lines_of_standard_error_are_seen_as_they_come() -> None:
    lines: list[str] = []
    done = await process.run_async(["sh", "-c", r"printf '10%%\r20%%\rdone\n\nlast' >&2"], on_line=lines.append)
    assert lines == ["10%", "20%", "done", "last"]
    assert done.stderr == b"10%\r20%\rdone\n\nlast"


async def test_a_flood_without_lines_is_kept_short() -> None:
    lines: list[str] = []
    done = await process.run_async([PYTHON, "-c", "import sys; sys.stderr.write('x' * 1000000)"], on_line=lines.append)
    assert len(done.stderr) == 65536
    assert len(lines[0]) == 65536


async def test_input_that_nobody_reads_is_no_error() -> None:
    done = await process.run_async(["true"], input=b"x" * 1_000_000)
    assert done.returncode == 0


@needs_root
async def test_another_identity_has_its_user_group_and_nothing_else() -> None:
    identity = Identity(2_100_000_007, 2_100_000_007, (106,))
    for done in await both(["sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status"], identity=identity, cwd="/"):
        uid, gid, groups, capabilities = done.text.splitlines()
        assert (uid, gid) == ("2100000007", "2100000007")
        assert set(groups.split()) == {"2100000007", "106"}
        assert capabilities.split()[1].strip("0") == ""


@pytest.fixture
def sleeper() -> Any:
    with open(os.devnull, "wb") as log:
        handle = process.spawn(["sleep", "60"], log=log.fileno())
    yield handle
    handle.send(signal.SIGKILL)
    handle.wait_sync(10)


async def test_a_spawned_program_lives_in_a_session_of_its_own(sleeper: ProcessHandle) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid
    assert sleeper.alive()
    assert sleeper.returncode is None


async def test_a_spawned_program_is_adopted_by_pid_and_start_time(sleeper: ProcessHandle) -> None:
    adopted = ProcessHandle.adopt(sleeper.pid, sleeper.started)
    assert adopted is not None
    assert ProcessHandle.adopt(sleeper.pid, sleeper.started + 1) is None
    waiting = asyncio.create_task(adopted.wait())
    await asyncio.sleep(0)
    adopted.send(signal.SIGTERM)
    assert await waiting is None
    assert not adopted.alive()
    assert await sleeper.wait() == -signal.SIGTERM


async def test_a_signal_never_reaches_another_process_of_the_same_pid(sleeper: ProcessHandle) -> None:
    stranger = ProcessHandle(sleeper.pid, sleeper.started - 5)
    stranger.send(signal.SIGKILL)
    assert sleeper.alive()


async def test_the_gone_are_gone(sleeper: ProcessHandle) -> None:
    sleeper.send(signal.SIGKILL)
    assert sleeper.wait_sync(10)
    sleeper.send(signal.SIGKILL)
    assert sleeper.returncode == -signal.SIGKILL
    assert ProcessHandle.adopt(sleeper.pid, sleeper.started) is None
    assert await sleeper.wait() == -signal.SIGKILL


def test_waiting_is_bounded_and_works_with_many_open_files(sleeper: ProcessHandle) -> None:
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(100)]
    high = os.dup2(opened[0], 1100) if os.sysconf("SC_OPEN_MAX") > 1200 else None
    try:
        assert not sleeper.wait_sync(0.05)
    finally:
        for handle in [*opened, *([high] if high is not None else [])]:
            os.close(handle)


def test_an_ended_program_is_reaped(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as log:
        handle = process.spawn(["sh", "-c", "echo out; echo err >&2; exit 7"], log=log.fileno())
    end = time.monotonic() + 10
    while handle.alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert handle.returncode == 7
    assert (tmp_path / "log").read_bytes() == b"out\nerr\n"
