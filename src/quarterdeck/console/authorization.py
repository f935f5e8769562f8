"""Logins that a program sends with each request: ``Authorization: Bearer TOKEN`` and ``Basic USER:PASSWORD``.

Sources: RFC 6750 section 2.1, RFC 7617.
"""

from __future__ import annotations

import base64
import binascii

from aiohttp import web

from quarterdeck.console.auth import Auth
from quarterdeck.console.credentials import Grant
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.sessions import OWNER, WATCHER, Session


async def session(request: web.Request, auth: Auth) -> Session | None:
    """Return whom the Authorization header lets in; None when there is none, or another kind, such as a reverse proxy's own.

    Raises:
        RefusedError: the secret is wrong, or there were too many wrong ones.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            grant = await _limited(request, auth, token=value.strip())
        case "basic" if auth.credentials.has_password:
            grant = await _limited(request, auth, pair=_pair(value))
        case _:
            return None
    return WATCHER if grant.view_only else OWNER


async def _limited(request: web.Request, auth: Auth, *, token: str = "", pair: tuple[str, str] | None = None) -> Grant:
    grant = await attempt(request, auth, token=token, pair=pair)
    if grant is None:
        raise RefusedError(401, "wrong-login", "the token or password is wrong")
    return grant


async def attempt(request: web.Request, auth: Auth, *, token: str = "", pair: tuple[str, str] | None = None) -> Grant | None:
    """Return what a token, or a pair of user and password, gives; None when it is wrong, which counts against the client.

    Raises:
        RefusedError: the client has to wait.
    """
    client = request.remote or ""
    if wait := auth.limit.wait(client):
        raise RefusedError(429, "too-many-logins", "too many wrong logins", hint=f"wait {max(1, round(wait))} seconds")
    # Counted before it is known to be wrong: a thousand tries at once must not all be checked.
    auth.limit.failed(client)
    grant = auth.credentials.token(token) if pair is None else await auth.credentials.password(*pair)
    if grant is not None:
        auth.limit.forgive(client)
    return grant


def _pair(value: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password
