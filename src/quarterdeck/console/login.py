"""``/`` and ``/login``: the pages outside the API."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from quarterdeck.console import authorization, pages
from quarterdeck.console.assets import file_response
from quarterdeck.console.auth import SESSION_LIFETIME, Auth
from quarterdeck.console.origin import same_origin
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Console
from quarterdeck.console.secretfile import MAX_SECRET
from quarterdeck.console.security import NO_STORE
from quarterdeck.console.sessions import Session


class LoginPages:
    """Turns links and passwords into sessions and guards the page of the front end."""

    def __init__(self, console: Console, auth: Auth, static: Path) -> None:
        self._console = console
        self._auth = auth
        self._index = static / "index.html"

    async def index(self, request: web.Request) -> web.StreamResponse:
        """Send the front end to those who are logged in; a token in the query logs in."""
        if request.method == "GET" and request.query.get("token"):
            return await self.login(request)
        if self._previous(request) is None:
            return pages.login_needed(self._name(), self._form())
        return file_response(self._index, NO_STORE) if self._index.is_file() else pages.not_built()

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Take the token of a link, set the cookie and lead to the front end; without one, ask for the password."""
        previous, form = self._previous(request), self._form()
        if form is not None and "token" not in request.query:
            if previous is not None:
                raise web.HTTPSeeOther("/")
            return pages.login_form(form)
        client = request.remote or ""
        wait = self._auth.limit.wait(client)
        if wait:
            return pages.login_limited(wait)
        redeemed = self._auth.redeem(request.query.get("token", ""))
        if redeemed is not None:
            self._end(previous)
            return self._welcome(request, redeemed[1])
        if previous is not None:
            raise web.HTTPSeeOther("/")  # a used link, opened again in a browser that is logged in
        self._auth.limit.failed(client)
        return pages.login_refused(self._name(), form)

    async def password(self, request: web.Request) -> web.StreamResponse:
        """Check what the form of :meth:`login` sent, set the cookie and lead to the front end."""
        form = self._form()
        if form is None:
            raise web.HTTPMethodNotAllowed("POST", ["GET"])
        if not _from_own_page(request):
            raise RefusedError(403, "foreign-origin", "only the console's own page may log in", hint="open /login and try again")
        user, password = await _fields(request)
        try:
            grant = await authorization.attempt(request, self._auth, pair=(user, password))
        except RefusedError:
            return pages.login_limited(self._auth.limit.wait(request.remote or ""))
        if grant is None:
            return pages.login_form(form, wrong=True)
        self._end(self._previous(request))
        return self._welcome(request, self._auth.begin(grant)[1])

    def _previous(self, request: web.Request) -> Session | None:
        return self._auth.session(request.cookies.get(self._auth.cookie))

    def _end(self, previous: Session | None) -> None:
        if previous is not None and previous.digest:
            self._auth.end(previous)
            self._console.streams.end(previous.digest)

    def _form(self) -> pages.Form | None:
        known = self._auth.credentials
        return pages.Form(self._name(), asks_user=known.user is not None) if known.has_password else None

    def _welcome(self, request: web.Request, cookie: str) -> web.StreamResponse:
        answer = pages.login_done() if _led_here_by_a_page(request) else web.Response(status=303, headers={"Location": "/"})
        secure = request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
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
    app.router.add_post("/login", served.password)


async def _fields(request: web.Request) -> tuple[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise RefusedError(415, "not-a-form", "this is not what a form sends", hint="open /login in a browser; programs log in below /api")
    sent = await request.post()
    user, password = sent.get("user", ""), sent.get("password", "")
    if not isinstance(user, str) or not isinstance(password, str) or len(user) > MAX_SECRET:
        return "", ""
    return user, password


def _from_own_page(request: web.Request) -> bool:
    """Whether the form is ours: another site's could log a browser in as somebody who watches what its user then does."""
    return same_origin(request.headers.get("Origin"), request.headers.get("Host"))


def _led_here_by_a_page(request: web.Request) -> bool:
    """Whether a page of another site may have started this navigation.

    Browsers say so in Sec-Fetch-Site, but only to secure origins (https and loopback); elsewhere a browser is known by the header
    that it sends with every navigation. Sources: W3C Fetch Metadata, Upgrade Insecure Requests section 3.2.1.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        return "Upgrade-Insecure-Requests" in request.headers
    return site not in ("none", "same-origin")
