"""TLS of the viewer port: its settings, and certificates that are read again when they change.

Sources: RFC 8996 (TLS below 1.2 is not to be used), RFC 7301 (ALPN).
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path

from quarterdeck.console.certificate import fingerprint
from quarterdeck.errors import UsageError

_log = logging.getLogger(__name__)


class Tls:
    """The server side of TLS with the certificate that is on disk now.

    Args:
        files: returns the paths of certificate (with its chain) and key, PEM; may make them.

    Raises:
        UsageError: they cannot be used.
    """

    def __init__(self, files: Callable[[], tuple[Path, Path]]) -> None:
        self._files = files
        self._certificate, self._key = self._locate()
        self._seen = self._identity()
        self._context = self._load()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint of the certificate, as browsers show it."""
        return fingerprint(self._certificate)

    def context(self) -> ssl.SSLContext:
        """Return the context for the next connection. A new certificate that cannot be used leaves the old one in use."""
        try:
            self._certificate, self._key = self._locate()
            seen = self._identity()
            if seen != self._seen:
                self._seen = seen
                self._context = self._load()
        except UsageError as error:
            _log.warning("the viewer goes on with its old certificate: %s (%s)", error.message, error.reason)
        return self._context

    def _locate(self) -> tuple[Path, Path]:
        try:
            return self._files()
        except OSError as error:
            raise _unusable(error.strerror or str(error)) from error

    def _identity(self) -> tuple[object, ...]:
        found: list[object] = []
        for path in (self._certificate, self._key):
            try:
                status = os.stat(path)
            except OSError as error:
                found.append(error.errno)
            else:
                found.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            # Without a password here, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
        except (OSError, ValueError) as error:
            raise _unusable(f"{self._certificate}, {self._key}: {_words(error)}") from error
        return context


def _unusable(reason: str) -> UsageError:
    hint = "PEM files are needed: the certificate with its chain, and its key without a passphrase"
    return UsageError("bad-certificate", "the viewer's certificate cannot be used", reason=reason, hint=hint)


def _words(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
