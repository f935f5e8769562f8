"""The console of one machine: both listeners, started and stopped together."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from aiohttp import web

from quarterdeck.console import listen
from quarterdeck.console.app import STATIC, create_app
from quarterdeck.console.auth import Auth
from quarterdeck.console.backend import MachineBackend
from quarterdeck.console.credentials import Credentials
from quarterdeck.console.origin import HostPolicy, is_loopback, is_wildcard
from quarterdeck.console.sessions import SessionStore
from quarterdeck.console.tls import Tls
from quarterdeck.console.tlssite import TlsSite, redirecting_app
from quarterdeck.console.viewer import Viewer, tls_of
from quarterdeck.errors import UsageError

_GRACE = 3.0
"""Seconds that open requests get to end when the console stops."""
_IDLE = 75.0


class ConsoleServer:
    """Serves the HTTP API on the machine's Unix socket and, behind a login, on the viewer port.

    Args:
        backend: the machine.
        socket_path: the Unix socket, ``MachineLayout.api_socket``.
        secrets_path: where sessions are kept, ``MachineLayout.secrets``.
        viewer: the viewer port, None for none.
        static: folder of the built front end.
    """

    def __init__(
        self, backend: MachineBackend, *, socket_path: Path, secrets_path: Path, viewer: Viewer | None = None, static: Path = STATIC
    ) -> None:
        self._backend = backend
        self._socket_path = socket_path
        self._secrets_path = secrets_path
        self._viewer = viewer
        self._static = static
        self._auth: Auth | None = None
        self._url: str | None = None
        self._tls: Tls | None = None
        self._stack = AsyncExitStack()

    @property
    def viewer_url(self) -> str | None:
        """The URL of the viewer, such as ``http://127.0.0.1:8006/``; None when there is none."""
        return self._url

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 fingerprint of the viewer's certificate; None without TLS."""
        return None if self._tls is None else self._tls.fingerprint

    def new_link(self, view_only: bool = False) -> str:
        """Return the full URL of a new link that logs in once, within 24 hours.

        Raises:
            UsageError: there is no viewer port.
        """
        if self._auth is None or self._url is None:
            raise UsageError("no-viewer", "this machine has no viewer port", hint="set viewer.enabled in its spec and start it again")
        return f"{self._url}login?token={self._auth.issue(view_only=view_only)}"

    async def start(self) -> None:
        """Bind both sockets and serve them; when one fails, neither is left open.

        Raises:
            QuarterdeckError: a socket cannot be bound, or a file of secrets or certificates cannot be used.
        """
        async with AsyncExitStack() as stack:
            if self._viewer is not None:
                await self._start_viewer(stack, self._viewer)
            await self._start_socket(stack)
            self._stack = stack.pop_all()
        self._say_who_may()

    async def stop(self) -> None:
        """End event streams and WebSockets, let short requests finish, and close both sockets. Idempotent."""
        await self._stack.aclose()

    async def _start_viewer(self, stack: AsyncExitStack, viewer: Viewer) -> None:
        stack.callback(self._forget_viewer)
        self._tls = tls_of(viewer, self._secrets_path.parent)
        credentials = Credentials(viewer.login, self._secrets_path)
        listener = await listen.bind_tcp(viewer.address, listen.candidates(viewer.port, viewer.previous))
        stack.callback(listener.close)
        port = listener.getsockname()[1]
        names = (*viewer.names, socket.gethostname()) if is_wildcard(viewer.address.strip("[]")) else viewer.names
        hosts = HostPolicy(viewer.address, names)
        self._auth = Auth(SessionStore(self._secrets_path), hosts, port=port, credentials=credentials, open=viewer.login.open)
        self._url = f"{'https' if self._tls else 'http'}://{_url_host(viewer.address)}:{port}/"
        app = self._app(self._auth)
        if self._tls is None:
            await _serve(stack, app, listener)
        else:
            await _serve_tls(stack, listener, self._tls, secure=app, plain=redirecting_app(hosts))

    def _app(self, auth: Auth | None) -> web.Application:
        everybody = self._viewer is not None and self._viewer.login.open
        return create_app(self._backend, auth=auth, static=self._static, new_link=self.new_link, everybody=everybody)

    def _forget_viewer(self) -> None:
        self._auth = self._url = self._tls = None

    async def _start_socket(self, stack: AsyncExitStack) -> None:
        listener = listen.bind_unix(self._socket_path)
        stack.callback(listener.close)
        stack.callback(_unlink, self._socket_path, os.stat(self._socket_path).st_ino)
        await _serve(stack, self._app(None), listener)

    def _say_who_may(self) -> None:
        viewer = self._viewer
        if viewer is None:
            return
        public = viewer.address != "localhost" and not is_loopback(viewer.address.strip("[]"))
        if viewer.login.open:
            self._say("warning", f"the viewer asks nobody who they are: whoever reaches {viewer.address} owns this machine")
        if public and self._tls is None:
            text = f"the viewer listens on {viewer.address}: others can reach it, and plain HTTP can be read and changed on the way"
            self._say("warning", text)
        if self._tls is not None:
            self._say("info", f"the viewer's certificate has the SHA-256 fingerprint {self._tls.fingerprint}")

    def _say(self, level: str, text: str) -> None:
        self._backend.events.publish("message", {"level": level, "text": text})


async def _run(stack: AsyncExitStack, app: web.Application) -> web.AppRunner:
    # No access log: it would hold the tokens of links.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE, keepalive_timeout=_IDLE)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    return runner


async def _server(stack: AsyncExitStack, app: web.Application) -> web.Server:
    server = (await _run(stack, app)).server
    assert server is not None  # it is set up
    return server


async def _serve(stack: AsyncExitStack, app: web.Application, listener: socket.socket) -> None:
    await web.SockSite(await _run(stack, app), listener).start()


async def _serve_tls(stack: AsyncExitStack, listener: socket.socket, tls: Tls, *, secure: web.Application, plain: web.Application) -> None:
    servers = [await _server(stack, app) for app in (secure, plain)]
    site = TlsSite(listener, tls, secure=servers[0], plain=servers[1])
    stack.push_async_callback(site.stop)
    site.start()


def _unlink(path: Path, inode: int) -> None:
    """Remove our socket, but not one that another process has put there since."""
    with suppress(FileNotFoundError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _url_host(address: str) -> str:
    plain = address.strip("[]")
    if is_wildcard(plain):
        return "[::1]" if ":" in plain else "127.0.0.1"
    return f"[{plain}]" if ":" in plain else plain
