"""The one door to other programs.

Nothing else imports ``subprocess``. Arguments are lists, never a shell line; standard input is
``/dev/null`` unless given; a failed command names itself in a form that can be pasted into a shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypedDict

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import DeadlineError, HostError, QuarterdeckError, UsageError

Argv = Sequence[str | os.PathLike[str]]

_GRACE_SECONDS = 5.0
_ERROR_LINES = 8
_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


@dataclass(frozen=True)
class Completed:
    """A program that ended: its argument list, exit status (negative: signal number) and output bytes."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes replaced."""
        return self.stdout.decode(errors="replace")


@dataclass(frozen=True)
class Identity:
    """The user that a program runs as: numeric user, group and further groups."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class ProcessError(QuarterdeckError):
    """A program ended with an error."""

    exit_code = 5

    def __init__(self, completed: Completed) -> None:
        output = (completed.stderr or completed.stdout).decode(errors="replace").strip()
        super().__init__(
            "process-failed",
            f"{os.path.basename(completed.argv[0])} {describe_status(completed.returncode)}",
            reason="\n".join(output.splitlines()[-_ERROR_LINES:]),
            hint=f"the command was: {shlex.join(completed.argv)}",
        )
        self.completed = completed


def describe_status(returncode: int) -> str:
    """Return what an exit status means: ``exited with status 1``, ``was killed by SIGKILL``."""
    if returncode >= 0:
        return f"exited with status {returncode}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"was killed by signal {-returncode}"


def find(name: str, *extra: str) -> str | None:
    """Return the absolute path of program ``name``, looked for in PATH, the sbin folders and ``extra`` folders."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *extra])
    return shutil.which(name, path=path)


@contextlib.contextmanager
def _starting(words: list[str], cwd: str | os.PathLike[str] | None) -> Iterator[None]:
    """Say in plain words why a program could not be started."""
    try:
        yield
    except ValueError as error:
        raise UsageError("invalid-argument", f"{words[0]!r} cannot be given these arguments", reason=str(error)) from None
    except OSError as error:
        if cwd is not None and not os.path.isdir(cwd):
            raise HostError("folder-missing", f"there is no folder {os.fspath(cwd)}", reason=f"{words[0]} was to run in it") from None
        if isinstance(error, FileNotFoundError):
            raise HostError("program-missing", f"{words[0]} is not installed", hint="'qd doctor' says which package has it") from None
        why = os.strerror(error.errno) if error.errno else str(error)
        hint = f"the command was: {shlex.join(words)}"
        raise HostError("program-not-started", f"{words[0]} cannot be started", reason=why, hint=hint) from None


def _strings(argv: Argv) -> list[str]:
    return [os.fspath(word) for word in argv]


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of child programs: ours in the C.UTF-8 locale, with ``changes`` laid over it."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", **(changes or {})}


def run(
    argv: Argv,
    *,
    input: bytes | None = None,
    timeout: float | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    pass_fds: Sequence[int] = (),
    identity: Identity | None = None,
) -> Completed:
    """Run a program to its end and return its output; for short work outside an event loop.

    Raises:
        HostError: the program is not installed or cannot be started.
        UsageError: an argument holds a NUL.
        DeadlineError: it took longer than ``timeout`` seconds; it was killed.
        ProcessError: it failed and ``check`` is true.
    """
    words = _strings(argv)
    try:
        with _starting(words, cwd):
            done = subprocess.run(
                words,
                input=input,
                stdin=subprocess.DEVNULL if input is None else None,
                capture_output=True,
                timeout=timeout,
                check=False,
                env=environment(env),
                cwd=cwd,
                pass_fds=pass_fds,
                **_identity_options(identity),
            )
    except subprocess.TimeoutExpired:
        raise _took_too_long(words, timeout) from None
    completed = Completed(tuple(words), done.returncode, done.stdout, done.stderr)
    if check and completed.returncode:
        raise ProcessError(completed)
    return completed


def _took_too_long(words: list[str], timeout: float | None) -> DeadlineError:
    return DeadlineError(
        "process-timeout",
        f"{os.path.basename(words[0])} did not end within {timeout:g} s",
        hint=f"the command was: {shlex.join(words)}",
    )


class _IdentityOptions(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity_options(identity: Identity | None) -> _IdentityOptions:
    if identity is None:
        return {}
    return {"user": identity.uid, "group": identity.gid, "extra_groups": list(identity.groups)}


async def run_async(
    argv: Argv,
    *,
    on_line: Callable[[str], None] | None = None,
    on_output: Callable[[str], None] | None = None,
    input: bytes | None = None,
    timeout: float | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    pass_fds: Sequence[int] = (),
    identity: Identity | None = None,
) -> Completed:
    """Run a program to its end inside the event loop.

    ``on_line`` sees each line of standard error as it comes (carriage returns end a line too, as
    progress meters write them), ``on_output`` each of standard output, of which then only the end is returned.
    Cancelling the caller ends the program and all its children.

    Raises: as :func:`run`.
    """
    words = _strings(argv)
    with _starting(words, cwd):
        process = await _started(
            asyncio.create_subprocess_exec(
                *words,
                stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(env),
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
                **_identity_options(identity),
            )
        )
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await _communicate(process, input, on_line, on_output)
    except TimeoutError:
        raise _took_too_long(words, timeout) from None
    finally:
        await _end_group(process)
    completed = Completed(tuple(words), process.returncode or 0, stdout, stderr)
    if check and completed.returncode:
        raise ProcessError(completed)
    return completed


async def _started(start: Coroutine[Any, Any, asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """Let a start go on to its end when the caller is cancelled, then end the program: asyncio would lose it and its pipes."""
    task = asyncio.ensure_future(start)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await _end_group(await task)
        raise


async def _communicate(
    process: asyncio.subprocess.Process,
    input: bytes | None,
    on_line: Callable[[str], None] | None,
    on_output: Callable[[str], None] | None,
) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        stdout = group.create_task(_read_lines(process.stdout, on_output))
        stderr = group.create_task(_read_lines(process.stderr, on_line))
        if input is not None:
            group.create_task(_feed(process, input))
        group.create_task(process.wait())
    return stdout.result(), stderr.result()


async def _feed(process: asyncio.subprocess.Process, input: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(input)
        await process.stdin.drain()
    process.stdin.close()


async def _read_lines(stream: asyncio.StreamReader, on_line: Callable[[str], None] | None) -> bytes:
    if on_line is None:
        return await stream.read()
    kept = b""
    pending = b""
    while chunk := await stream.read(65536):
        kept = (kept + chunk)[-65536:]
        *lines, pending = (pending + chunk).replace(b"\r", b"\n").split(b"\n")
        pending = pending[-65536:]
        for line in lines:
            _report_line(line, on_line)
    _report_line(pending, on_line)
    return kept


def _report_line(line: bytes, on_line: Callable[[str], None]) -> None:
    if line.strip():
        on_line(line.decode(errors="replace").rstrip())


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End the program's whole process group and reap it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        except TimeoutError:
            pass
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    # Somebody else may hold its pipes open, as the shared connection of ssh does; we are done with them.
    process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way


def spawn(
    argv: Argv,
    *,
    log: int,
    errors: int | None = None,
    stdin: int | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    pass_fds: Sequence[int] = (),
    identity: Identity | None = None,
) -> ProcessHandle:
    """Start a program that outlives its caller, in a session of its own.

    Standard output and error go to the descriptor ``log``, error to ``errors`` if that is given; the caller keeps and closes them.

    Raises:
        HostError: the program is not installed or cannot be started.
        UsageError: an argument holds a NUL.
    """
    words = _strings(argv)
    with _starting(words, cwd):
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=log,
            stderr=log if errors is None else errors,
            env=environment(env),
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
            **_identity_options(identity),
        )
    return ProcessHandle.of_child(process.pid, process)


def run_foreground(argv: Argv, *, cwd: str | os.PathLike[str] | None = None) -> int:
    """Run a program in our place: with our standard streams, environment and process group; return its exit status (negative: signal).

    What ends programs is passed on to it and does not end us. Only the main thread may call this (signal(2) of Python).

    Raises:
        HostError: the program is not installed or cannot be started.
        UsageError: an argument holds a NUL.
    """
    words = _strings(argv)
    with _passing_signals() as target:
        with _starting(words, cwd):
            # What we inherited and let children inherit, such as the job server's pipe of make, is the program's too.
            child = subprocess.Popen(words, cwd=cwd, close_fds=False)
        target.child = child
        for number in target.missed:
            child.send_signal(number)
        return child.wait()


class _Target:
    """The child that signals are passed on to, and those that came before it was there."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.missed: list[int] = []

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Pass signal ``number`` on, unless the terminal sent it to the child as well."""
        if number in (signal.SIGINT, signal.SIGQUIT) and _at_terminal():
            return
        if self.child is None:
            self.missed.append(number)
        else:
            self.child.send_signal(number)


@contextlib.contextmanager
def _passing_signals() -> Iterator[_Target]:
    target = _Target()
    before = {number: signal.signal(number, target.receive) for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield target
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _at_terminal() -> bool:
    """Whether our process group is the one that the terminal sends its signals to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
