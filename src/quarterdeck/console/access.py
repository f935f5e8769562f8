"""What must be true of a request before its handler runs: Host, Origin, session or Authorization header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from quarterdeck.console import authorization
from quarterdeck.console.auth import Auth
from quarterdeck.console.origin import same_origin
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Access, Call, Console, Route
from quarterdeck.console.sessions import OWNER, Session

_FROM_BROWSER = ("Origin", "Sec-Fetch-Site")


def host_middleware(auth: Auth | None) -> Middleware:
    """Return the middleware that lets through only requests that name this server."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if auth is None:
            _check_no_browser(request)
        elif not auth.hosts.allows(request.headers.get("Host")):
            raise RefusedError(
                403,
                "foreign-host",
                "this console does not answer to that host name",
                reason="the Host header is neither the address listened on nor a name that was given",
                hint="use the address that 'qd open' prints, or add the name to the viewer's names",
            )
        return await handler(request)

    return middleware


def guarded(route: Route, console: Console) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of ``route``: checks first, then the route's own handler."""

    async def handle(request: web.Request) -> web.StreamResponse:
        session = OWNER if console.auth is None else await _check(request, route, console.auth)
        return await route.handler(Call(request, console, session))

    return handle


async def _check(request: web.Request, route: Route, auth: Auth) -> Session:
    session = auth.session(request.cookies.get(auth.cookie)) or await authorization.session(request, auth)
    if session is None:
        raise RefusedError(401, "login-required", "this needs a login", hint="'qd open NAME' prints a link that logs in")
    # Programs send no Origin. Browsers may send a remembered user and password along with any site's requests.
    asked_by_page = session.digest or any(name in request.headers for name in _FROM_BROWSER)
    if route.own_origin and asked_by_page and not same_origin(request.headers.get("Origin"), request.headers.get("Host")):
        raise RefusedError(
            403, "foreign-origin", "this may only be asked by the console's own page", reason="the Origin header is another one or missing"
        )
    if route.access is Access.CONTROL and session.view_only:
        raise view_only()
    return session


def view_only() -> RefusedError:
    """Return the error for a view-only session that tries to do more."""
    return RefusedError(403, "view-only", "this session may only watch", hint="'qd open NAME' prints a link with full control")


def _check_no_browser(request: web.Request) -> None:
    # The socket trusts whoever can open it. Forwarded to a TCP port it would also trust every page that the user's browser shows.
    if any(name in request.headers for name in _FROM_BROWSER):
        raise RefusedError(
            403, "browser-on-socket", "the machine's socket does not serve browsers", hint="'qd open NAME' prints a link for browsers"
        )
