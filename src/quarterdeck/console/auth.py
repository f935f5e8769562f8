"""Who may use the viewer port: one-time links, lasting secrets, sessions, and the limit on wrong tries."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace

from quarterdeck.console.credentials import Credentials, Grant
from quarterdeck.console.origin import HostPolicy
from quarterdeck.console.sessions import OWNER, Session, SessionStore, digest
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
        credentials: the lasting secrets that let in.
        open: let everybody in.
    """

    def __init__(self, store: SessionStore, hosts: HostPolicy, *, port: int, credentials: Credentials, open: bool = False) -> None:
        self.hosts = hosts
        self.credentials = credentials
        self.open = open
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
        """Take a token; return the new session and its cookie, or None when the token is wrong, used or too old.

        A link's token is used up, a lasting one is not.

        There is no ``await`` between finding and removing, so of two requests with one token only the first wins.
        """
        self._links = _unexpired(self._links)
        wanted = digest(token)
        link = next((link for link in self._links if hmac.compare_digest(link.digest, wanted)), None)
        if link is not None:
            self._links.remove(link)
            return self.begin(Grant("", link.view_only))
        grant = self.credentials.token(token)
        return None if grant is None else self.begin(grant)

    def begin(self, grant: Grant) -> tuple[Session, str]:
        """Return a new session of somebody who proved to be let in, and its cookie."""
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        session = Session(digest(cookie), grant.view_only, clock.now() + SESSION_LIFETIME, grant.source)
        self._keep([*self._sessions, session])
        return session, cookie

    def session(self, cookie: str | None) -> Session | None:
        """Return the living session that a cookie stands for, or None. Where nobody is asked, everybody is the owner."""
        if self.open:
            return OWNER
        if not cookie:
            return None
        wanted = digest(cookie)
        found = next((entry for entry in self._sessions if hmac.compare_digest(entry.digest, wanted)), None)
        if found is None or found.expires <= clock.now():
            return None
        return found if not found.source or found.source in self.credentials.sources() else None

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

    Tokens cannot be guessed, but passwords can; and a client that tries must not fill the log and the processor. The
    addresses of one IPv6 network (/64, which any home gets) count as one.
    """

    def __init__(self, *, tries: int = 20, seconds: float = 60.0, kept: int = 256) -> None:
        self._tries = tries
        self._seconds = seconds
        self._kept = kept
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Return the seconds that ``client`` has to wait before its next try, 0 for none."""
        start, count = self._failures.get(_network(client), (0.0, 0))
        left = start + self._seconds - clock.now()
        return left if count >= self._tries and 0 < left <= self._seconds else 0.0

    def failed(self, client: str) -> None:
        """Count a wrong try."""
        now, client = clock.now(), _network(client)
        start, count = self._failures.pop(client, (now, 0))
        if not 0 <= now - start < self._seconds:
            start, count = now, 0
        self._failures[client] = (start, count + 1)
        while len(self._failures) > self._kept:
            self._failures.popitem(last=False)

    def forgive(self, client: str) -> None:
        """Take back one try, which was counted while it was not yet known to be right."""
        client = _network(client)
        if client in self._failures:
            start, count = self._failures[client]
            self._failures[client] = (start, max(0, count - 1))


def _network(client: str) -> str:
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 4 or address.ipv4_mapped is not None:
        return client
    return str(ipaddress.ip_network((address.packed, 64), strict=False))
