"""The headers that tell a browser what the console's pages may do.

Sources: Content Security Policy Level 3 (W3C), the WHATWG Fetch and HTML standards (CORP, COOP), RFC 9111 (Cache-Control).
"""

from __future__ import annotations

from aiohttp import web

from quarterdeck.console.auth import Auth

NO_STORE = "no-store"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def content_security_policy(host: str) -> str:
    """Return the policy for pages reached under ``host`` (``NAME[:PORT]``), empty when that is unknown.

    Styles may be inline because the terminal and the component library make style elements at run time. WebSockets of the own
    host are named for browsers in which 'self' does not cover them.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            f"connect-src 'self'{sockets}",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def install(app: web.Application, auth: Auth | None) -> None:
    """Add the headers to every answer of ``app``, streams and errors included."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get("Host", "")
        known = auth is not None and auth.hosts.allows(host)
        response.headers.update(_FIXED)
        response.headers["Content-Security-Policy"] = content_security_policy(host if known else "")
        response.headers.setdefault("Cache-Control", NO_STORE)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.popall("Server", None)

    app.on_response_prepare.append(add)
