"""The console of one machine: both listeners, started and stopped together."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from quarterdeck.console import listen
from quarterdeck.console.app import STATIC, create_app
from quarterdeck.console.auth import Auth
from quarterdeck.console.backend import MachineBackend
from quarterdeck.console.origin import HostPolicy, is_loopback, is_wildcard
from quarterdeck.console.sessions import SessionStore
from quarterdeck.errors import UsageError

_GRACE = 3.0
"""Seconds that open requests get to end when the console stops."""
_IDLE = 75.0


@dataclass(frozen=True)
class Viewer:
    """Where the viewer port listens.

    Args:
        address: IPv4, IPv6 or a name.
        port: None takes 8006 or the next free one up to 8105, 0 any free one.
        previous: the port of the last run, tried first unless ``port`` names one, so that open pages find it again.
        names: further host names under which it is reached.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    previous: int | None = None
    names: tuple[str, ...] = ()


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
        self._stack = AsyncExitStack()

    @property
    def viewer_url(self) -> str | None:
        """The URL of the viewer, such as ``http://127.0.0.1:8006/``; None when there is none."""
        return self._url

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
            QuarterdeckError: a socket cannot be bound.
        """
        async with AsyncExitStack() as stack:
            if self._viewer is not None:
                await self._start_viewer(stack, self._viewer)
            await self._start_socket(stack)
            self._stack = stack.pop_all()
        self._warn_if_public()

    async def stop(self) -> None:
        """End event streams and WebSockets, let short requests finish, and close both sockets. Idempotent."""
        await self._stack.aclose()

    async def _start_viewer(self, stack: AsyncExitStack, viewer: Viewer) -> None:
        listener = await listen.bind_tcp(viewer.address, listen.candidates(viewer.port, viewer.previous))
        stack.callback(listener.close)
        port = listener.getsockname()[1]
        names = (*viewer.names, socket.gethostname()) if is_wildcard(viewer.address.strip("[]")) else viewer.names
        self._auth = Auth(SessionStore(self._secrets_path), HostPolicy(viewer.address, names), port=port)
        stack.callback(self._forget_viewer)
        self._url = f"http://{_url_host(viewer.address)}:{port}/"
        app = create_app(self._backend, auth=self._auth, static=self._static, new_link=self.new_link)
        await _serve(stack, app, listener)

    def _forget_viewer(self) -> None:
        self._auth = self._url = None

    async def _start_socket(self, stack: AsyncExitStack) -> None:
        listener = listen.bind_unix(self._socket_path)
        stack.callback(listener.close)
        stack.callback(_unlink, self._socket_path, os.stat(self._socket_path).st_ino)
        app = create_app(self._backend, auth=None, static=self._static, new_link=self.new_link)
        await _serve(stack, app, listener)

    def _warn_if_public(self) -> None:
        if self._viewer is None or self._viewer.address == "localhost" or is_loopback(self._viewer.address.strip("[]")):
            return
        text = f"the viewer listens on {self._viewer.address}: others can reach it, and plain HTTP can be read and changed on the way"
        self._backend.events.publish("message", {"level": "warning", "text": text})


async def _serve(stack: AsyncExitStack, app: web.Application, listener: socket.socket) -> None:
    # No access log: it would hold the tokens of links.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE, keepalive_timeout=_IDLE)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.SockSite(runner, listener).start()


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
