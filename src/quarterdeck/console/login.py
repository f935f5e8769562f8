"""``/`` and ``/login``: the pages outside the API."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from quarterdeck.console import pages
from quarterdeck.console.assets import file_response
from quarterdeck.console.auth import SESSION_LIFETIME, Auth
from quarterdeck.console.route import Console
from quarterdeck.console.security import NO_STORE


class LoginPages:
    """Turns one-time links into sessions and guards the page of the front end."""

    def __init__(self, console: Console, auth: Auth, static: Path) -> None:
        self._console = console
        self._auth = auth
        self._index = static / "index.html"

    async def index(self, request: web.Request) -> web.StreamResponse:
        """Send the front end to those who are logged in."""
        if self._auth.session(request.cookies.get(self._auth.cookie)) is None:
            return pages.login_needed(self._name())
        return file_response(self._index, NO_STORE) if self._index.is_file() else pages.not_built()

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Use up the token of a link, set the cookie and lead to the front end."""
        client = request.remote or ""
        wait = self._auth.limit.wait(client)
        if wait:
            return pages.login_limited(wait)
        previous = self._auth.session(request.cookies.get(self._auth.cookie))
        redeemed = self._auth.redeem(request.query.get("token", ""))
        if redeemed is not None:
            if previous is not None:
                self._auth.end(previous)
                self._console.streams.end(previous.digest)
            return self._welcome(request, redeemed[1])
        if previous is not None:
            raise web.HTTPSeeOther("/")  # a used link, opened again in a browser that is logged in
        self._auth.limit.failed(client)
        return pages.login_refused(self._name())

    def _welcome(self, request: web.Request, cookie: str) -> web.StreamResponse:
        answer = pages.login_done() if _led_here_by_a_page(request) else web.Response(status=303, headers={"Location": "/"})
        secure = request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        answer.set_cookie(
            self._auth.cookie, cookie, max_age=int(SESSION_LIFETIME), path="/", httponly=True, samesite="Strict", secure=secure or None
        )
        return answer

    def _name(self) -> str:
        return str(self._console.backend.describe(private=False)["name"])


def install(app: web.Application, console: Console, *, auth: Auth, static: Path) -> None:
    """Add both pages to ``app``."""
    served = LoginPages(console, auth, static)
    app.router.add_get("/", served.index)
    # HEAD would let link previews use up the token.
    app.router.add_get("/login", served.login, allow_head=False)


def _led_here_by_a_page(request: web.Request) -> bool:
    """Whether a page of another site may have started this navigation.

    Browsers say so in Sec-Fetch-Site, but only to secure origins (https and loopback); elsewhere a browser is known by the header
    that it sends with every navigation. Sources: W3C Fetch Metadata, Upgrade Insecure Requests section 3.2.1.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        return "Upgrade-Insecure-Requests" in request.headers
    return site not in ("none", "same-origin")
