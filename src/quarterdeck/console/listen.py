"""The two sockets of a console, bound here so that their errors are ours."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

from quarterdeck.errors import HostError, UsageError

FIRST_PORT = 8006
LAST_PORT = 8105
UNIX_PATH_MAX = 107
"""Longest path of a Unix socket in bytes, unix(7): sun_path is 108 with its NUL."""
_BACKLOG = 128


def bind_unix(path: Path) -> socket.socket:
    """Return a listening Unix socket at ``path`` that only its owner can open; a left-over one is replaced.

    Raises:
        HostError: the path is too long, taken by something else, or cannot be written.
    """
    if len(os.fsencode(path)) > UNIX_PATH_MAX:
        raise HostError(
            "socket-path-too-long",
            f"the path of the machine's socket is longer than {UNIX_PATH_MAX} bytes",
            reason=str(path),
            hint="use a shorter machine name, or a shorter QUARTERDECK_HOME",
        )
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    # The mode must be right from the first moment on: bind(2) applies the umask, chmod(2) would come too late.
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise HostError("socket-failed", f"cannot listen on {path}", reason=_words(error), hint="see who owns its folder") from error
    finally:
        os.umask(before)
    return listener


async def bind_tcp(address: str, ports: Iterable[int]) -> socket.socket:
    """Return a socket that listens on ``address`` (IPv4, IPv6 or a name) and the first free port of ``ports``.

    Raises:
        UsageError: the address is none of this host.
        HostError: every port is busy, or a port may not be used.
    """
    family, target = await _resolve(address)
    wanted = list(ports)
    for port in wanted:
        try:
            return _listen(family, (target[0], port, *target[2:]))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _tcp_error(address, port, error) from error
    span = f"port {wanted[0]}" if len(wanted) == 1 else f"every port from {min(wanted)} to {max(wanted)}"
    raise HostError(
        "port-busy", f"cannot open the viewer: {span} on {address} is in use", hint="choose another one with --viewer ADDRESS:PORT"
    )


def candidates(port: int | None, previous: int | None) -> list[int]:
    """Return the ports to try: exactly ``port`` when one is named, else the ``previous`` one and then any, or the usual range."""
    if port:
        return [port]
    usual = [0] if port == 0 else list(range(FIRST_PORT, LAST_PORT + 1))
    return usual if previous is None else [previous, *(number for number in usual if number != previous)]


async def _resolve(address: str) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            "unknown-address", f"'{address}' is no address to listen on", reason=_words(error), hint="127.0.0.1 is always one"
        ) from error
    family, _, _, _, target = found[0]
    return family, target


def _listen(family: socket.AddressFamily, target: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # '::' shall mean every address, IPv4 included.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(target)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _tcp_error(address: str, port: int, error: OSError) -> HostError | UsageError:
    match error.errno:
        case errno.EADDRNOTAVAIL:
            return UsageError("unknown-address", f"{address} is no address of this host", hint="'ip address' lists those that are")
        case errno.EACCES:
            return HostError("port-forbidden", f"port {port} may not be opened", reason=_words(error), hint="use a port above 1023")
        case _:
            return HostError("viewer-failed", f"cannot listen on {address} port {port}", reason=_words(error))


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise HostError("socket-taken", f"{path} is in the way: it is not a socket", hint="move it elsewhere")
    if _answers(path):
        raise HostError("already-served", f"another process serves {path}", hint="stop it first")
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        # A full backlog (EAGAIN) also means that somebody listens.
        return probe.connect_ex(os.fspath(path)) in (0, errno.EAGAIN)


def _words(error: OSError | UnicodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
