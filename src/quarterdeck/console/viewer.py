"""What the viewer port of one machine is: where it listens, whom it lets in, and its TLS."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.console.certificate import GeneratedCertificate
from quarterdeck.console.credentials import Login
from quarterdeck.console.origin import is_wildcard
from quarterdeck.console.tls import Tls
from quarterdeck.machine.spec import ViewerSpec, ViewerTls

CERTIFICATE = "viewer.pem"
"""Name of the generated certificate in the machine's folder."""


@dataclass(frozen=True)
class Viewer:
    """Where the viewer port listens, and whom it lets in.

    Args:
        address: IPv4, IPv6 or a name.
        port: None takes 8006 or the next free one up to 8105, 0 any free one.
        previous: the port of the last run, tried first unless ``port`` names one, so that open pages find it again.
        names: further host names under which it is reached.
        login: the lasting secrets that let in, besides one-time links.
        tls: whether it speaks HTTPS.
        certificate: certificate and key when ``tls`` says files.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    previous: int | None = None
    names: tuple[str, ...] = ()
    login: Login = field(default_factory=Login)
    tls: ViewerTls = ViewerTls.OFF
    certificate: tuple[Path, Path] | None = None


def viewer_from(spec: ViewerSpec, *, previous: int | None = None) -> Viewer | None:
    """Return the viewer that a spec wants, None when it wants none; ``previous`` is the port of the last run."""
    if not spec.enabled:
        return None
    login = Login(
        user=spec.user,
        password_file=_path(spec.password_file),
        token_file=_path(spec.token_file),
        view_token_file=_path(spec.view_token_file),
        open=spec.open,
        given=True,
    )
    files = (Path(spec.tls_certificate), Path(spec.tls_key)) if spec.tls_certificate and spec.tls_key else None
    return Viewer(spec.address, spec.port, previous, spec.names, login, spec.tls, files)


def tls_of(viewer: Viewer, folder: Path) -> Tls | None:
    """Return the TLS of ``viewer``, None when it speaks plain HTTP; a generated certificate is kept in ``folder``.

    Raises:
        UsageError: the certificate cannot be used.
    """
    if viewer.tls is ViewerTls.OFF:
        return None
    given = viewer.certificate
    if given is not None:
        return Tls(lambda: given)
    address = viewer.address.strip("[]")
    names = viewer.names if is_wildcard(address) else (address, *viewer.names)
    return Tls(GeneratedCertificate(folder / CERTIFICATE, names, also=_own_names() if is_wildcard(address) else ()).files)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _own_names() -> list[str]:
    """Return the name of this host and its addresses, as far as the resolver knows them."""
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [name]
    return [name, *(str(entry[4][0]) for entry in found)]
