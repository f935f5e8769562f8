"""Passwords as they are kept: salted and hashed so slowly that guessing does not pay."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_COST, _BLOCK, _PARALLEL = 1 << 14, 8, 1
"""16 MB and some 50 ms for each try; RFC 7914 names these for interactive logins."""
_SALT_BYTES = 16
_TEXT = re.compile(r"scrypt:([0-9a-f]{32}):([0-9a-f]{128})")


@dataclass(frozen=True)
class PasswordHash:
    """A password that can be compared but not read. ``salt`` is random, so it also tells one password from the next."""

    salt: bytes
    key: bytes

    @classmethod
    def of(cls, password: str) -> PasswordHash:
        """Return a new hash of ``password``; takes some 50 ms."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(salt, _derive(password, salt))

    @classmethod
    def parse(cls, text: object) -> PasswordHash | None:
        """Return what :meth:`__str__` wrote, None for anything else."""
        found = _TEXT.fullmatch(text) if isinstance(text, str) else None
        return cls(bytes.fromhex(found[1]), bytes.fromhex(found[2])) if found else None

    def matches(self, password: str) -> bool:
        """Whether this is the hash of ``password``; takes some 50 ms, whatever the answer."""
        return hmac.compare_digest(self.key, _derive(password, self.salt))

    def __str__(self) -> str:
        return f"scrypt:{self.salt.hex()}:{self.key.hex()}"


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)
