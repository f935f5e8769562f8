"""Who may use the viewer port: one-time links, sessions, and the limit on wrong tries."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace

from quarterdeck.console.origin import HostPolicy
from quarterdeck.console.sessions import Session, SessionStore, digest
from quarterdeck.core import clock

LINK_LIFETIME = 24 * 3600.0
"""Seconds after which a one-time link that nobody used is void."""
SESSION_LIFETIME = 7 * 24 * 3600.0
"""Seconds after which a browser must log in again."""
_SECRET_BYTES = 32
_LINKS_KEPT = 256
_SESSIONS_KEPT = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Link:
    digest: str
    view_only: bool
    expires: float


class Auth:
    """The login of one viewer port. Belongs to one event loop.

    Args:
        store: where sessions outlive the supervisor.
        hosts: the names under which the port may be reached.
        port: the TCP port listened on; part of the cookie's name, since browsers send cookies to all ports of a host.
    """

    def __init__(self, store: SessionStore, hosts: HostPolicy, *, port: int) -> None:
        self.hosts = hosts
        self.cookie = f"quarterdeck_session_{port}"
        self.limit = LoginLimit()
        self._store = store
        self._links: list[_Link] = []
        self._sessions = _fresh(store.load())

    def issue(self, *, view_only: bool) -> str:
        """Return a new token that logs in once. Only its hash is kept, in memory."""
        token = secrets.token_urlsafe(_SECRET_BYTES)
        link = _Link(digest(token), view_only, clock.now() + LINK_LIFETIME)
        self._links = [*_unexpired(self._links), link][-_LINKS_KEPT:]
        return token

    def redeem(self, token: str) -> tuple[Session, str] | None:
        """Use up a token; return the new session and its cookie, or None when the token is wrong, used or too old.

        There is no ``await`` between finding and removing, so of two requests with one token only the first wins.
        """
        self._links = _unexpired(self._links)
        wanted = digest(token)
        link = next((link for link in self._links if hmac.compare_digest(link.digest, wanted)), None)
        if link is None:
            return None
        self._links.remove(link)
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        session = Session(digest(cookie), link.view_only, clock.now() + SESSION_LIFETIME)
        self._keep([*self._sessions, session])
        return session, cookie

    def session(self, cookie: str | None) -> Session | None:
        """Return the living session that a cookie stands for, or None."""
        if not cookie:
            return None
        wanted = digest(cookie)
        found = next((entry for entry in self._sessions if hmac.compare_digest(entry.digest, wanted)), None)
        return found if found is not None and found.expires > clock.now() else None

    def end(self, session: Session) -> None:
        """Forget a session: its cookie is worthless from now on."""
        self._keep([entry for entry in self._sessions if entry.digest != session.digest])

    def _keep(self, sessions: list[Session]) -> None:
        self._sessions = _fresh(sessions)[-_SESSIONS_KEPT:]
        try:
            self._store.save(self._sessions)
        except OSError as error:
            # A full disk must not lock the owner out of the console that shows it.
            _log.warning("cannot remember console sessions: %s", error)


def _fresh(sessions: list[Session]) -> list[Session]:
    now = clock.now()
    latest = now + SESSION_LIFETIME
    # A clock that once ran ahead must not leave sessions that live for years.
    return [replace(entry, expires=min(entry.expires, latest)) for entry in sessions if entry.expires > now]


def _unexpired(links: list[_Link]) -> list[_Link]:
    now = clock.now()
    return [link for link in links if link.expires > now]


class LoginLimit:
    """Counts wrong logins of each client address; remembers only the latest addresses.

    Tokens cannot be guessed; this keeps a client that tries from filling the log and the processor.
    """

    def __init__(self, *, tries: int = 20, seconds: float = 60.0, kept: int = 256) -> None:
        self._tries = tries
        self._seconds = seconds
        self._kept = kept
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Return the seconds that ``client`` has to wait before its next try, 0 for none."""
        start, count = self._failures.get(client, (0.0, 0))
        left = start + self._seconds - clock.now()
        return left if count >= self._tries and 0 < left <= self._seconds else 0.0

    def failed(self, client: str) -> None:
        """Count a wrong try."""
        now = clock.now()
        start, count = self._failures.pop(client, (now, 0))
        if not 0 <= now - start < self._seconds:
            start, count = now, 0
        self._failures[client] = (start, count + 1)
        while len(self._failures) > self._kept:
            self._failures.popitem(last=False)
