"""The few plain pages that are shown without the front end. No scripts, light and dark, readable on a phone."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from aiohttp import web

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; line-height: 1.3; }
code { font: 0.95em ui-monospace, monospace; padding: 0.15em 0.4em; border-radius: 4px; }
code { background: color-mix(in srgb, currentColor 12%, transparent); }
form { display: grid; gap: 0.4rem; max-width: 22rem; margin: 1.5rem 0; }
input, button { font: inherit; padding: 0.5rem 0.7rem; border-radius: 6px; }
input { border: 1px solid color-mix(in srgb, currentColor 55%, transparent); }
button { border: 1px solid; margin-top: 0.8rem; background: #14507f; color: #fff; border-color: #14507f; cursor: pointer; }
:focus-visible { outline: 3px solid #4a90d9; outline-offset: 2px; }
[role=alert] { font-weight: 600; }
"""


@dataclass(frozen=True)
class Form:
    """What the login form of the machine ``name`` asks for: a password, and a user if that has to be right."""

    name: str
    asks_user: bool


def page(status: int, title: str, body: str, *, head: str = "") -> web.Response:
    """Return a whole page; ``body`` and ``head`` are HTML, ``title`` is text."""
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Quarterdeck</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}<style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
    return web.Response(status=status, text=text, content_type="text/html")


def problem(status: int, title: str, hint: str) -> web.Response:
    """Return a page that says what went wrong and how to go on."""
    return page(status, _sentence(title), f"<p>{escape(_sentence(hint))}</p>" if hint else "")


def login_form(form: Form, *, wrong: bool = False) -> web.Response:
    """Return the page that asks for the password."""
    what = "user name or password" if form.asks_user else "password"
    told = f'<p role="alert">The {what} is wrong.</p>' if wrong else ""
    answer = page(403 if wrong else 200, f"Log in to {form.name}", f"{told}{_form(form)}{_how_to(form.name)}")
    # With no-referrer, browsers send "Origin: null" with the form (Fetch standard, "append a request Origin header").
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def login_needed(name: str, form: Form | None = None) -> web.Response:
    """Return the page for a browser without a session."""
    if form is not None:
        answer = login_form(form)
        answer.set_status(401)
        return answer
    return page(401, "You need a link to see this machine", _how_to(name))


def login_refused(name: str, form: Form | None = None) -> web.Response:
    """Return the page for a link that is wrong, used or too old."""
    instead = '<p>You can <a href="/login">log in by password</a>.</p>' if form else ""
    return page(403, "This link does not work any more", f"<p>A link works once, and for 24 hours.</p>{instead}{_how_to(name)}")


def login_limited(seconds: float) -> web.Response:
    """Return the page for a client that tried too many wrong links or passwords."""
    wait = max(1, round(seconds))
    answer = page(429, "Too many wrong logins", f"<p>Wait {wait} seconds, then try again.</p>")
    answer.headers["Retry-After"] = str(wait)
    return answer


def login_done() -> web.Response:
    """Return the page that leads into the console after a login from a link on another site.

    A redirect would still count as coming from that site, and the browser would hold back the SameSite=Strict cookie; a
    navigation by a page of our own does not (RFC 6265bis, section 5.2).
    """
    head = '<meta http-equiv="refresh" content="0; url=/">'
    return page(200, "You are logged in", '<p><a href="/">Open the console</a></p>', head=head)


def not_built() -> web.Response:
    """Return the page for an installation without a front end."""
    return page(
        503,
        "The web page is not built",
        "<p>This checkout has no built front end. Run <code>make setup</code> in it, then load this page again.</p>"
        "<p>The HTTP API works without it.</p>",
    )


def _form(form: Form) -> str:
    user = (
        '<label for="user">User</label><input id="user" name="user" autocomplete="username" autocapitalize="none" required autofocus>'
        if form.asks_user
        else ""
    )
    focus = "" if user else " autofocus"
    return (
        f'<form method="post" action="/login">{user}<label for="password">Password</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required{focus}>'
        '<button type="submit">Log in</button></form>'
    )


def _how_to(name: str) -> str:
    return f"<p>Run <code>qd open {escape(name)}</code> on the host of the machine; it prints a new link.</p>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
