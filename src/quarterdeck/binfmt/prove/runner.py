"""The helper that runs the programs: it goes into the empty root, becomes nobody, and runs what it is told.

Run by :mod:`quarterdeck.binfmt.prove.session`, never imported by it. All that is needed is imported before the root changes.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from quarterdeck.binfmt.private import speech

_IDS = (65534, 65533, 1, 2)
"""Users and groups for the program and for the owner of the set-uid one; their low bytes differ, and none is root's."""
_FILES = 64
_WORDS = 400


@dataclass
class _Running:
    """A program that runs: its task's number, what it writes, and when it began and must have ended (monotonic seconds)."""

    number: int
    pid: int
    output: int
    started: float
    deadline: float


def main() -> None:
    """Prepare the root folder as told, then run one batch of programs after the other."""
    speech.tell({"waiting": True})
    request = speech.hear()
    if request is None:
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        speech.tell({"owner": _prepare(request["root"], request["setuid"])})
    except OSError as error:
        speech.tell({"failed": error.errno})
        return
    while (batch := speech.hear()) is not None:
        for result in _run_all(batch["tasks"], timeout=batch["timeout"], nothing=nothing):
            speech.tell(result)


def _prepare(root: str, setuid: Sequence[str]) -> int | None:
    """Go into the root as somebody else where there is anybody else; return who owns the set-uid programs, None when it is us."""
    users, groups = _mapped("uid_map"), _mapped("gid_map")
    free = [number for number in _IDS if _has(users, number) and _has(groups, number)]
    os.chroot(root)
    os.chdir("/")
    if len(free) < 2:
        _limit()
        return None
    for file in setuid:
        os.chown(file, free[1], free[1])
        os.chmod(file, 0o4755)  # noqa: S103 - the root is removed at once, and its parent is closed to others
    os.setgroups([])
    os.setresgid(free[0], free[0], free[0])
    os.setresuid(free[0], free[0], free[0])
    _limit()
    return free[1]


def _mapped(file: str) -> list[range]:
    with open(f"/proc/self/{file}", encoding="ascii") as stream:
        rows = [[int(word) for word in line.split()] for line in stream]
    return [range(inside, inside + count) for inside, _, count in rows]


def _has(spans: Sequence[range], number: int) -> bool:
    return any(number in span for span in spans)


def _limit() -> None:
    """No core dumps, few files. Memory is not limited: emulators reserve more than they use."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))


def _run_all(tasks: Sequence[dict[str, str]], *, timeout: float, nothing: int) -> Iterator[dict[str, Any]]:
    """Run ``tasks``, as many at once as there are processors, and yield their results as they end."""
    room = min(len(os.sched_getaffinity(0)), _FILES // 8)
    running: list[_Running] = []
    for number, task in enumerate(tasks):
        if len(running) >= room:
            yield from _some_end(running)
        started = _start(number, task, timeout=timeout, nothing=nothing)
        if isinstance(started, _Running):
            running.append(started)
        else:
            yield started
    while running:
        yield from _some_end(running)


def _start(number: int, task: dict[str, str], *, timeout: float, nothing: int) -> _Running | dict[str, Any]:
    """Start one program, or return its result when the kernel refuses."""
    # A pipe, not a file: what writes without end fills no memory, but stops and is killed in time.
    output, theirs = os.pipe()
    begun = time.monotonic()
    streams = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_DUP2, theirs, 2)]
    try:
        pid = os.posix_spawn(task["file"], [task["argv0"]], {}, file_actions=streams, setpgroup=0)
    except OSError as error:
        os.close(output)
        return {"number": number, "error": error.errno, "seconds": time.monotonic() - begun}
    finally:
        os.close(theirs)
    return _Running(number, pid, output, begun, begun + timeout)


def _some_end(running: list[_Running]) -> Iterator[dict[str, Any]]:
    """Wait until at least one program ended or its time is over; yield the results and forget the programs."""
    _wait(running)
    for program in list(running):
        late = time.monotonic() >= program.deadline
        if late:
            os.killpg(program.pid, signal.SIGKILL)
        pid, status = os.waitpid(program.pid, 0 if late else os.WNOHANG)
        if pid:
            running.remove(program)
            yield _result(program, os.waitstatus_to_exitcode(status), late=late)


def _wait(running: Sequence[_Running]) -> None:
    poll = select.poll()
    watched = [os.pidfd_open(program.pid) for program in running]
    try:
        for handle in watched:
            poll.register(handle, select.POLLIN)
        soonest = min(program.deadline for program in running)
        poll.poll(max(0.0, soonest - time.monotonic()) * 1000)
    finally:
        for handle in watched:
            os.close(handle)


def _result(program: _Running, status: int, *, late: bool) -> dict[str, Any]:
    os.set_blocking(program.output, False)
    try:
        words = os.read(program.output, _WORDS).decode(errors="replace").strip()
    except BlockingIOError:
        words = ""  # something that it started lives on, and said nothing
    os.close(program.output)
    return {"number": program.number, "status": status, "hung": late, "seconds": time.monotonic() - program.started, "words": words}


if __name__ == "__main__":
    main()
