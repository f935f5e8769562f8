"""A listener that speaks TLS, and tells those who speak plain HTTP where to go instead."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress

from aiohttp import web

from quarterdeck.console.origin import HostPolicy
from quarterdeck.console.tls import Tls

_HANDSHAKE = 0x16
"""First byte of a TLS connection: the content type of a handshake record (RFC 8446, section 5.1)."""
_PATIENCE = 15.0
"""Seconds that a client gets for its first byte, and then for the handshake."""
_NEWCOMERS = 128
"""How many connections may be in that state at a time."""
_PAUSE = 1.0

_log = logging.getLogger(__name__)


class TlsSite:
    """Accepts connections of ``listener``: TLS goes to ``secure``, the rest to ``plain``. Belongs to one event loop."""

    def __init__(self, listener: socket.socket, tls: Tls, *, secure: web.Server, plain: web.Server) -> None:
        self._listener = listener
        self._tls = tls
        self._secure = secure
        self._plain = plain
        self._newcomers: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_NEWCOMERS)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to accept."""
        self._task = asyncio.create_task(self._accept())

    async def stop(self) -> None:
        """Accept no more, and drop those who have not said yet what they want."""
        tasks = {*self._newcomers, self._task} - {None}
        for task in tasks:
            assert task is not None
            task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                # Too many open files, mostly: others must end first.
                _log.warning("cannot accept a connection of the viewer: %s", error)
                self._room.release()
                await asyncio.sleep(_PAUSE)
                continue
            task = asyncio.create_task(self._receive(connection))
            self._newcomers.add(task)
            task.add_done_callback(self._received)

    def _received(self, task: asyncio.Task[None]) -> None:
        self._newcomers.discard(task)
        self._room.release()

    async def _receive(self, connection: socket.socket) -> None:
        # Scanners, and browsers that do not trust the certificate, end connections in many ways; none of them is our failure.
        with suppress(OSError, TimeoutError):
            try:
                first = await asyncio.wait_for(_first_byte(connection), _PATIENCE)
                await self._hand_over(connection, secure=first == _HANDSHAKE)
            except BaseException:
                connection.close()
                raise

    async def _hand_over(self, connection: socket.socket, *, secure: bool) -> None:
        loop = asyncio.get_running_loop()
        if secure:
            context = self._tls.context()
            await loop.connect_accepted_socket(self._secure, connection, ssl=context, ssl_handshake_timeout=_PATIENCE)
        else:
            await loop.connect_accepted_socket(self._plain, connection)


async def _first_byte(connection: socket.socket) -> int:
    """Return the first byte that a client sends, and leave it to be read; -1 when it sends none."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
        return next(iter(connection.recv(1, socket.MSG_PEEK)), -1)
    finally:
        loop.remove_reader(connection)


def redirecting_app(hosts: HostPolicy) -> web.Application:
    """Return the application for plain HTTP on a TLS port: it leads to the same address with https."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        if not hosts.allows(request.headers.get("Host")):
            return web.Response(status=400, text="This port speaks HTTPS.\n")
        # 307 keeps the method. What was sent in the clear is known by now, so a token is not carried on.
        return web.Response(status=307, headers={"Location": f"https://{request.host}{request.path}"}, text="This port speaks HTTPS.\n")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", redirect)
    return app
