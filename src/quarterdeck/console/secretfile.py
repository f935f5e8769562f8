"""A file that holds one secret, read again when it changes."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from quarterdeck.errors import UsageError

MAX_SECRET = 1024
"""Longest secret in bytes; more is the wrong file, or work for nothing."""

_log = logging.getLogger(__name__)


class SecretFile:
    """The first line of a file, which must be its only one.

    Args:
        path: where it lies.
        what: what to call it in errors, such as ``viewer.password_file``.
        shortest: how many signs it must have.
    """

    def __init__(self, path: Path, what: str, *, shortest: int = 1) -> None:
        self._path = path
        self._what = what
        self._shortest = shortest
        self._seen: tuple[int, ...] | None = None
        self._secret: str | None = None

    def read(self) -> str:
        """Return the secret.

        Raises:
            UsageError: the file cannot be read, or holds no secret.
        """
        try:
            with self._path.open("rb") as file:
                self._seen = _identity(os.fstat(file.fileno()))
                raw = file.read(MAX_SECRET + 3)
        except OSError as error:
            raise self._error("cannot be read", error.strerror or str(error)) from error
        self._secret = self._understand(raw)
        return self._secret

    def current(self) -> str | None:
        """Return the secret as it is now; None, and a line in the log, once its file is gone or makes no sense any more."""
        try:
            seen = _identity(self._path.stat())
        except OSError:
            seen = ()
        if seen != self._seen:
            self._seen, self._secret = seen, None
            try:
                self.read()
            except UsageError as error:
                _log.warning("%s: %s", error.message, error.reason)
        return self._secret

    def _understand(self, raw: bytes) -> str:
        try:
            secret = raw.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise self._error("is not UTF-8 text", str(self._path)) from error
        if len(secret.encode()) > MAX_SECRET or any(character < " " for character in secret):
            raise self._error("holds more than one line", f"{self._path} must be one line of at most {MAX_SECRET} bytes")
        if len(secret) < self._shortest:
            raise self._error("is too short" if secret else "is empty", f"{self._path} must hold at least {self._shortest} signs")
        return secret

    def _error(self, what: str, why: str) -> UsageError:
        hint = f"write the secret into {self._path}, in one line" if str(self._path) not in why else "write the secret into it, in one line"
        return UsageError("bad-secret-file", f"the file that {self._what} names {what}", reason=why, hint=hint)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
