"""The API socket of an engine on another host, brought here by OpenSSH as a socket that only this user can open.

Docker's socket is there already. Podman's service is started for the time of the build and ends when the connection does, whatever
becomes of us: it waits for the end of its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from quarterdeck.build.nodes.ssh import SshAddress, login_failure, remote_words, ssh_options
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.errors import TargetError

DOCKER_SOCKET = "/var/run/docker.sock"
_READY_SECONDS = 90.0
"""An emulated machine takes half a minute to start podman."""
_POLL_SECONDS = 0.3
_ANSWER_SECONDS = 20.0
_PING = b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n"
_SERVE = """
umask 077
mkdir "$1" || exit
podman system service --time=0 "unix://$1/podman.sock" &
service=$!
cat >/dev/null
kill $service
wait $service
rm -rf "$1"
"""
_WAIT = "cat >/dev/null"


@contextlib.asynccontextmanager
async def docker_tunnel(address: SshAddress) -> AsyncIterator[Path]:
    """Bring the socket of the Docker Engine of another host here.

    Raises:
        TargetError: the host cannot be logged in to, or no Docker Engine answers there.
    """
    async with _tunnel(address, DOCKER_SOCKET, ["sh", "-c", _WAIT], what="Docker Engine") as socket:
        yield socket


@contextlib.asynccontextmanager
async def podman_tunnel(address: SshAddress) -> AsyncIterator[Path]:
    """Start podman's service on another host and bring its socket here.

    Raises: as :func:`docker_tunnel`, for podman.
    """
    folder = f"/tmp/quarterdeck-{secrets.token_hex(8)}"  # noqa: S108 -- a new folder of a name that nobody can know, or an error
    async with _tunnel(address, f"{folder}/podman.sock", ["sh", "-c", _SERVE, "sh", folder], what="podman") as socket:
        yield socket


@contextlib.asynccontextmanager
async def _tunnel(address: SshAddress, remote: str, command: Sequence[str], *, what: str) -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="qd-") as name, tempfile.TemporaryFile() as log:
        socket = Path(name, "engine.sock")
        # Its standard input is a pipe that we hold: the other side ends with us.
        read, write = os.pipe()
        try:
            handle = spawn(_argv(address, f"{socket}:{remote}", command), log=log.fileno(), stdin=read)
        except BaseException:
            os.close(write)
            raise
        finally:
            os.close(read)
        try:
            await _ready(handle, socket, lambda: _said(log.fileno()), address=address, what=what)
            yield socket
        finally:
            os.close(write)
            await _end(handle)


def _argv(address: SshAddress, forward: str, command: Sequence[str]) -> list[str]:
    # The first value of an option counts: a forward of a shared connection would stay with that connection.
    own = ["-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes", "-L", forward]
    return ["ssh", *own, *ssh_options(address), "--", address.host, remote_words(command)]


async def _ready(handle: ProcessHandle, socket: Path, said: Callable[[], str], *, address: SshAddress, what: str) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not await _answers(socket):
        if not handle.alive():
            raise login_failure(address, said())
        if time.monotonic() > end:
            reason = said() or "its socket does not answer"
            raise TargetError(
                "engine-silent", f"no {what} answers on {address}", reason=reason, hint="does it run there, and may you use it?"
            )
        await asyncio.sleep(_POLL_SECONDS)


async def _answers(socket: Path) -> bool:
    """Whether an engine's API answers through the socket; path: /_ping of Docker's API, which podman has too."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(_PING)
                await writer.drain()
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return False


def _said(log: int) -> str:
    return os.pread(log, 4096, 0).decode(errors="replace").strip()


async def _end(handle: ProcessHandle) -> None:
    """Let the other side clean up; ssh ends with the command there."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await handle.wait()
    except TimeoutError:
        handle.send(signal.SIGKILL)
        await handle.wait()
