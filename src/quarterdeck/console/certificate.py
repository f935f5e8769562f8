"""The certificate that a console makes for itself: it hides the traffic; its fingerprint proves that nobody stands between.

Sources: RFC 5280, and the CA/Browser Forum's limit of 398 days, beyond which Apple's systems refuse a certificate.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quarterdeck.core import fs

_LIFE = timedelta(days=397)
_RENEWED = timedelta(days=30)
"""How long before its end a certificate is replaced."""
_CLOCKS = timedelta(hours=1)
"""How far the clocks of browsers may be behind."""
_ALWAYS = ("localhost", "127.0.0.1", "::1")

_log = logging.getLogger(__name__)


class GeneratedCertificate:
    """A self-signed certificate and its key in one file, mode 0600, made when there is none, and anew before it ends.

    Args:
        path: where it is kept.
        names: host names and IP addresses that it must be good for, besides localhost.
        also: those that a new one is made good for, too, such as the name that this host has today.
    """

    def __init__(self, path: Path, names: Collection[str], *, also: Collection[str] = ()) -> None:
        self._path = path
        self._names = tuple(dict.fromkeys((*_ALWAYS, *names)))
        self._also = tuple(also)
        self._ends: datetime | None = None

    def files(self) -> tuple[Path, Path]:
        """Return the paths of certificate and key, which are one file here.

        Raises:
            OSError: the file cannot be written.
        """
        if self._ends is None:
            self._ends = self._usable_until()
        if self._ends - _RENEWED < _now():
            self._ends = self._make()
        return self._path, self._path

    def _usable_until(self) -> datetime:
        """Return the end of the certificate on disk; long ago when there is none, or it is not good for all names."""
        try:
            pem = self._path.read_bytes()
            found = x509.load_pem_x509_certificate(pem)
            serialization.load_pem_private_key(pem, None)
            known = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
            return datetime.min.replace(tzinfo=UTC) + _RENEWED
        good = set(known) >= set(_alternatives(self._names))
        return found.not_valid_after_utc if good else datetime.min.replace(tzinfo=UTC) + _RENEWED

    def _make(self) -> datetime:
        ends = _now() + _LIFE
        _log.info("making a new certificate for the viewer, good until %s", ends.date())
        fs.write_atomic(self._path, _pem(dict.fromkeys((*self._names, *self._also)), ends), mode=0o600)
        return ends


def fingerprint(path: Path) -> str:
    """Return the SHA-256 fingerprint of the first certificate in a PEM file, as browsers show it.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no certificate.
    """
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()


def _pem(names: Collection[str], ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Quarterdeck console")])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _CLOCKS)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM) + secret


def _alternatives(names: Collection[str]) -> list[x509.GeneralName]:
    return [entry for entry in map(_alternative, names) if entry is not None]


def _alternative(name: str) -> x509.GeneralName | None:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.removesuffix(".").encode("idna").decode().lower())
    except UnicodeError:
        return None  # a name that no resolver takes, such as one with an empty label


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
