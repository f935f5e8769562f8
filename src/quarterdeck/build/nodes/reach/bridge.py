"""Sockets on this host that lead to an engine behind SSH, for as long as a ``with`` block lasts.

Docker: each connection becomes ``docker system dial-stdio`` there, as the docker client does it for ``ssh://``, but with our options of
SSH. podman: its service is started there, on a socket that only the user can reach, and that is forwarded; it ends with our connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from quarterdeck.build.nodes.buildkit.stream import Stream, through
from quarterdeck.build.nodes.ssh import SSH_FAILED, SshAddress, login_failure, private_ssh_argv, ssh_argv
from quarterdeck.errors import TargetError

_CHUNK = 1 << 16
_READY_SECONDS = 30.0
_READY = b"quarterdeck:ready"
# The socket's folder is the user's alone: who reaches the socket is that user. Our end of standard input is the service's life.
_SERVE = """
umask 077; PATH="$PATH:/usr/local/bin:/usr/bin:/bin"; folder=$1; mkdir "$folder" || exit 1
podman system service --time=0 "unix://$folder/podman.sock" </dev/null & service=$!
trap 'kill "$service"; rm -rf "$folder"' EXIT HUP INT TERM
until [ -S "$folder/podman.sock" ]; do kill -0 "$service" || exit 1; sleep 0.1; done
echo quarterdeck:ready
cat >/dev/null
"""


@asynccontextmanager
async def docker_socket(address: SshAddress) -> AsyncIterator[Path]:
    """Have the socket of the Docker Engine there."""
    dial = ssh_argv(address, ["docker", "system", "dial-stdio"])
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        with contextlib.suppress(OSError, TargetError):
            await _join((reader, writer), dial)

    with _folder() as folder:
        server = await asyncio.start_unix_server(serve, folder / "docker.sock")
        try:
            yield folder / "docker.sock"
        finally:
            server.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            await server.wait_closed()


async def _join(here: Stream, dial: Sequence[str]) -> None:
    try:
        async with through(dial) as there:
            # When the Engine has said its last word the connection is over, whatever the client may still want to say.
            talk = asyncio.create_task(_copy(here[0], there[1]))
            try:
                await _copy(there[0], here[1])
            finally:
                talk.cancel()
                await asyncio.gather(talk, return_exceptions=True)
    finally:
        here[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@asynccontextmanager
async def podman_socket(address: SshAddress) -> AsyncIterator[Path]:
    """Have the socket of a podman service there, which runs as long as the block.

    Raises:
        TargetError: nobody can log in there, or podman does not start in time.
    """
    with _folder() as folder:
        socket = folder / "podman.sock"
        # Nobody can know the name before, and mkdir there fails if it exists.
        there = f"/tmp/qd-podman-{secrets.token_hex(8)}"  # noqa: S108
        argv = private_ssh_argv(
            address,
            ["sh", "-c", _SERVE, "serve", there],
            forward=f"{socket}:{there}/podman.sock",
        )
        async with through(argv) as (reader, _):
            await _ready(address, reader)
            yield socket


async def _ready(address: SshAddress, reader: asyncio.StreamReader) -> None:
    said = []
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while line := await reader.readline():
                if line.strip() == _READY:
                    return
                said.append(line.decode(errors="replace"))
    except TimeoutError:
        pass
    words = "".join(said)
    failure = login_failure(address, words)
    if failure.key != SSH_FAILED:
        raise failure
    reason = words.strip().splitlines()[-1] if words.strip() else "it said nothing"
    raise TargetError("podman-not-started", f"podman does not start on {address}", reason=reason, hint="try there: podman info")


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Have a folder that is ours alone, with a short path: a Unix socket's has at most 107 bytes, unix(7)."""
    folder = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
