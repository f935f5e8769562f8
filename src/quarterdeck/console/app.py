"""The web application of one listener."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from quarterdeck.console import access, api, events, login, openapi, problems, security, serial, spice, storage, usb, vnc
from quarterdeck.console.assets import StaticFiles
from quarterdeck.console.auth import Auth
from quarterdeck.console.backend import MachineBackend
from quarterdeck.console.route import Console, Route
from quarterdeck.console.streams import Streams
from quarterdeck.core import clock
from quarterdeck.errors import UsageError

PREFIX = "/api/v1"
STATIC = Path(__file__).parent / "static"
"""Where the built front end lies."""
MAX_BODY = 16 << 10
"""Largest request body in bytes; the API's bodies are tiny."""
_EVENTS_A_SECOND = 1_000_000

_PARTS = (api, storage, usb, events, vnc, serial, spice, openapi)
ROUTES: tuple[Route, ...] = tuple(route for part in _PARTS for route in part.ROUTES)


def no_viewer(view_only: bool) -> str:
    """Refuse a link where no viewer port is open."""
    raise UsageError("no-viewer", "this machine has no viewer port", hint="set viewer.enabled in its spec and start it again")


def create_app(
    backend: MachineBackend,
    *,
    auth: Auth | None,
    static: Path = STATIC,
    new_link: Callable[[bool], str] = no_viewer,
    everybody: bool = False,
) -> web.Application:
    """Return the application that shows ``backend``.

    Args:
        backend: the machine.
        auth: the login of the viewer port; None for the Unix socket, whose clients are the owner. The socket serves no pages.
        static: folder of the built front end; may be missing.
        new_link: makes the full URL of a new one-time link, view-only or not.
        everybody: whether the viewer port asks nobody who they are, which the machine's description says.
    """
    app = web.Application(middlewares=[problems.middleware, access.host_middleware(auth)], client_max_size=MAX_BODY)
    console = Console(
        backend=backend,
        auth=auth,
        new_link=new_link,
        streams=Streams(),
        first_event=int(clock.now()) * _EVENTS_A_SECOND,
        routes=ROUTES,
        prefix=PREFIX,
        everybody=everybody,
    )
    for route in ROUTES:
        # aiohttp's add_get would add HEAD, which would open streams and take screenshots to throw them away.
        app.router.add_route(route.method, PREFIX + route.path, access.guarded(route, console))
    if auth is not None:
        login.install(app, console, auth=auth, static=static)
        StaticFiles(static).install(app)
    security.install(app, auth)

    async def end_streams(app: web.Application) -> None:
        console.streams.end_all()

    app.on_shutdown.append(end_streams)
    return app
