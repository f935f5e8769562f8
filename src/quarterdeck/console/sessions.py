"""Console sessions: who may use the viewer port, and the file that remembers them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quarterdeck.core import fs

_KEY = "sessions"


def digest(secret: str) -> str:
    """Return the SHA-256 of a token or cookie in hex.

    The secrets are 256 random bits, so a plain hash is enough: there is no dictionary to try.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Session:
    """One browser that logged in: the hash of its cookie, what it may do, and until when (seconds since the epoch).

    ``source`` tells which lasting secret it came from, empty for a one-time link. ``digest`` is empty where there is no cookie.
    """

    digest: str
    view_only: bool
    expires: float
    source: str = ""


OWNER = Session("", view_only=False, expires=float("inf"))
"""Whoever can open the Unix socket, or reaches a viewer port that asks nobody."""
WATCHER = Session("", view_only=True, expires=float("inf"))
"""A program that sends a view-only token with its request."""


class SessionStore:
    """Keeps the hashes of sessions in the ``sessions`` part of a machine's secrets file, mode 0600.

    The other parts of the file belong to others and are kept as they are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[Session]:
        """Return the sessions on disk; whatever cannot be understood is left out, so it has to log in again."""
        try:
            document = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        entries = document.get(_KEY) if isinstance(document, dict) else None
        sessions = [_session(entry) for entry in entries] if isinstance(entries, list) else []
        return [session for session in sessions if session is not None]

    def save(self, sessions: Sequence[Session]) -> None:
        """Replace the sessions on disk.

        Raises:
            OSError: the file cannot be written.
        """
        fs.update_json(self._path, {_KEY: [asdict(session) for session in sessions]})


def _session(entry: object) -> Session | None:
    match entry:
        case {"digest": str(value), "view_only": bool(view_only), "expires": float() | int() as expires, "source": str(source)}:
            return Session(value, view_only=view_only, expires=float(expires), source=source)
        case {"source": _}:
            return None
        case {"digest": str(value), "view_only": bool(view_only), "expires": float() | int() as expires}:
            return Session(value, view_only=view_only, expires=float(expires))
        case _:
            return None
