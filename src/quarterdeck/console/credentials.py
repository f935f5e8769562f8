"""The lasting ways in besides one-time links: a password, a token, and a token to look only."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.console.passwords import PasswordHash
from quarterdeck.console.secretfile import MAX_SECRET, SecretFile
from quarterdeck.console.sessions import digest
from quarterdeck.core import fs
from quarterdeck.errors import UsageError

SHORTEST_TOKEN = 16
"""A token is compared by a fast hash, so it must be too long to be guessed."""
_PASSWORD, _FILE_PASSWORD = "viewer_password", "viewer_password_of_file"
_TOKENS = ("viewer_token", "viewer_view_token")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who may use a viewer port; all None: whoever has a one-time link. ``open`` asks nobody.

    ``given`` also takes what :func:`remember` stored.
    """

    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    view_token_file: Path | None = None
    open: bool = False
    given: bool = False


@dataclass(frozen=True)
class Grant:
    """What a secret gives. ``source`` tells secrets apart: sessions end with the secret that they came from."""

    source: str
    view_only: bool


def remember(secrets_path: Path, *, password: str | None = None, token: str | None = None, view_token: str | None = None) -> None:
    """Keep the hashes of secrets that were given in words, in the machine's secrets file; None takes one away.

    Raises:
        UsageError: a token is too short, or a password empty or too long.
        OSError: the file cannot be written.
    """
    if password is not None and not 0 < len(password.encode("utf-8", "surrogatepass")) <= MAX_SECRET:
        raise UsageError("bad-password", f"the viewer's password must have between 1 and {MAX_SECRET} bytes")
    for given in (token, view_token):
        if given is not None and len(given) < SHORTEST_TOKEN:
            raise UsageError("short-token", f"a token must have at least {SHORTEST_TOKEN} signs", hint="'openssl rand -hex 32' makes one")
    tokens = {key: given and digest(given) for key, given in zip(_TOKENS, (token, view_token), strict=True)}
    fs.update_json(secrets_path, {_PASSWORD: password and str(_settled(_stored(secrets_path).get(_PASSWORD), password)), **tokens})


class Credentials:
    """Compares what clients send with what lets in. Belongs to one event loop.

    Args:
        login: who may.
        secrets_path: the machine's secrets file.

    Raises:
        UsageError: a file that ``login`` names cannot be read.
    """

    def __init__(self, login: Login, secrets_path: Path) -> None:
        stored = _stored(secrets_path) if login.given else {}
        self.user = login.user
        self._path = secrets_path
        self._file = _file(login.password_file, "viewer.password_file")
        self._password: str | None = None
        self._hash = PasswordHash.parse(stored.get(_PASSWORD))
        files = (("viewer.token_file", login.token_file), ("viewer.view_token_file", login.view_token_file))
        self._token_files = [_file(path, what, shortest=SHORTEST_TOKEN) for what, path in files]
        self._tokens = [value if isinstance(value := stored.get(key), str) else None for key in _TOKENS]
        self._turn = asyncio.Lock()
        self._seal = secrets.token_bytes(32)
        self._proved: bytes | None = None
        for file in (self._file, *self._token_files):
            if file is not None:
                file.read()

    @property
    def has_password(self) -> bool:
        """Whether a password lets in now."""
        return self._current_hash() is not None

    def sources(self) -> set[str]:
        """Return the sources of all secrets that let in now."""
        known = self._current_hash()
        return {grant.source for _, grant in self._grants()} | ({known.salt.hex()} if known else set())

    def token(self, text: str) -> Grant | None:
        """Return what a token gives, None when it is no token."""
        wanted = digest(text)
        return next((grant for value, grant in self._grants() if hmac.compare_digest(value, wanted)), None)

    async def password(self, user: str, password: str) -> Grant | None:
        """Return what a user's password gives, None when it is wrong.

        One is checked at a time, in a thread: each check takes 16 MB and some 50 ms. The last right one is recognised
        faster, so that a program can send it with every request.
        """
        known = self._current_hash()
        if known is None or len(password) > MAX_SECRET:
            return None
        seal = hmac.digest(self._seal, f"{known.salt.hex()}\0{user}\0{password}".encode("utf-8", "surrogatepass"), "sha256")
        grant = Grant(known.salt.hex(), view_only=False)
        if self._proved is not None and hmac.compare_digest(self._proved, seal):
            return grant
        async with self._turn:
            right = await asyncio.to_thread(known.matches, password)
        # The password is always checked, so that the time does not tell whether the name was right.
        if not right or not self._is_user(user):
            return None
        self._proved = seal
        return grant

    def _is_user(self, user: str) -> bool:
        return self.user is None or hmac.compare_digest(self.user.encode(), user.encode("utf-8", "surrogatepass"))

    def _current_hash(self) -> PasswordHash | None:
        if self._file is None:
            return self._hash
        password = self._file.current()
        if password != self._password:
            self._password = password
            self._hash = None if password is None else self._settle(password)
        return self._hash

    def _settle(self, password: str) -> PasswordHash:
        """Return the hash of the file's password: the one of the last run if it did not change, so that its sessions live on."""
        settled = _settled(_stored(self._path).get(_FILE_PASSWORD), password)
        try:
            fs.update_json(self._path, {_FILE_PASSWORD: str(settled)})
        except OSError as error:
            # A full disk must not lock the owner out of the console that shows it.
            _log.warning("sessions of the viewer's password will end with this run: %s", error)
        return settled

    def _grants(self) -> list[tuple[str, Grant]]:
        files = (None if file is None else file.current() for file in self._token_files)
        digests = (digest(text) if text else kept for text, kept in zip(files, self._tokens, strict=True))
        # A hash of the hash: what is kept with a session must not be what is compared with a token.
        return [(value, Grant(digest(value), view_only=bool(index))) for index, value in enumerate(digests) if value]


def _file(path: Path | None, what: str, *, shortest: int = 1) -> SecretFile | None:
    return None if path is None else SecretFile(path, what, shortest=shortest)


def _settled(stored: object, password: str) -> PasswordHash:
    before = PasswordHash.parse(stored)
    return before if before is not None and before.matches(password) else PasswordHash.of(password)


def _stored(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
