"""What a BuildKit daemon says of itself: version and platforms, the native one first.

Sources: api/services/control/control.proto (ListWorkers), api/types/worker.proto, solver/pb/ops.proto (Platform) and
util/archutil/detect.go of BuildKit, which lists the processor's own platform first and runs a program of each other one in an empty
root before it lists it. Docker Engine offers the same API behind ``POST /grpc`` (api/server/router/grpc of Moby).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from quarterdeck.build.nodes.buildkit.protobuf import BadMessage, fields
from quarterdeck.build.nodes.buildkit.stream import Stream
from quarterdeck.build.platform import Platform
from quarterdeck.errors import TargetError, UsageError

_LIST_WORKERS = "/moby.buildkit.v1.Control/ListWorkers"
_UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"
_RECORD = 1
_PLATFORMS, _VERSION = 3, 5
_VERSION_TEXT = 2
_ARCHITECTURE, _OS, _VARIANT = 1, 2, 3


@dataclass(frozen=True)
class Worker:
    """A daemon's version (empty: it does not tell) and platforms, its own one first."""

    version: str
    platforms: tuple[Platform, ...]


async def ask(stream: Stream) -> Worker:
    """Ask a BuildKit daemon.

    Raises:
        TargetError: it is none, or it has no platforms.
    """
    # Loaded here: h2 takes a tenth of a second on slow hosts, and most commands ask no daemon.
    from quarterdeck.build.nodes.buildkit.http2 import call

    return parse_workers(await call(*stream, _LIST_WORKERS))


async def ask_docker(stream: Stream) -> Worker:
    """Ask the BuildKit inside a Docker Engine, 18.09 or later.

    Raises:
        TargetError: it is none, or it has no BuildKit.
    """
    reader, writer = stream
    writer.write(_UPGRADE)
    await writer.drain()
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        said = error.partial if isinstance(error, asyncio.IncompleteReadError) else b""
        raise _no_upgrade(said) from None
    if b" 101 " not in head.splitlines()[0]:
        raise _no_upgrade(head)
    return await ask(stream)


def _no_upgrade(said: bytes) -> TargetError:
    line = next(iter(said.decode(errors="backslashreplace").splitlines()), "it hung up")
    return TargetError("docker-without-buildkit", "the Docker Engine does not open its BuildKit", reason=line)


def parse_workers(message: bytes) -> Worker:
    """Return the first worker of a ListWorkersResponse, with the platforms of all.

    Raises:
        TargetError: it has no platforms, or is damaged.
    """
    try:
        records = [record for number, record in fields(message) if number == _RECORD]
        platforms = [_platform(content) for record in records for number, content in fields(record) if number == _PLATFORMS]
        versions = [content for record in records for number, content in fields(record) if number == _VERSION]
        texts = [text for version in versions for number, text in fields(version) if number == _VERSION_TEXT]
    except (BadMessage, UnicodeDecodeError, UsageError) as error:
        raise TargetError("buildkit-answer-damaged", "the BuildKit daemon's answer is damaged", reason=str(error)) from None
    if not platforms:
        raise TargetError("buildkit-without-workers", "the BuildKit daemon has no worker", hint="look into its log")
    version = texts[0].decode(errors="backslashreplace") if texts else ""
    return Worker(version, tuple(dict.fromkeys(platforms)))


def _platform(content: bytes) -> Platform:
    words = dict(fields(content))
    parts = [words.get(number, b"").decode("ascii") for number in (_OS, _ARCHITECTURE, _VARIANT)]
    return Platform.parse("/".join(part for part in parts if part))
