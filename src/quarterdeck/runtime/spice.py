"""The way to a machine's SPICE server: connection files for remote-viewer, one-time passwords, certificates.

Sources: remote-viewer(1), "CONNECTION FILE"; QMP ``set_password`` and ``expire_password``; spice-server reads the three files
that QEMU's ``x509-dir`` names.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from quarterdeck.core import fs
from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.spec import DisplaySpec, MachineSpec
from quarterdeck.runtime.instance import Instance

TICKET_SECONDS = 120
"""How long a password lets in; connections that stand go on."""
CERTIFICATES = ("ca-cert.pem", "server-cert.pem", "server-key.pem")


class SpiceDoor:
    """Lets clients in at the SPICE server of one machine.

    Args:
        running: returns QEMU as it runs now; raises UsageError when there is none.
        spec: returns what the machine was made from.
    """

    def __init__(self, running: Callable[[], Instance], spec: Callable[[], MachineSpec]) -> None:
        self._running = running
        self._spec = spec

    async def connection_file(self, host: str | None = None) -> str:
        """Return the text of a ``.vv`` file that lets in for the next two minutes, and is deleted when it is opened.

        Args:
            host: by which name the client reaches this host; None for a client on it.

        Raises:
            UsageError: the machine has no SPICE server, or none that can be reached from elsewhere.
            QemuError: QEMU did not take the password.
        """
        instance, spec = self._running(), self._spec()
        path = instance.socket("spice")
        if path is None and (spec.display.kind != "spice" or spec.display.spice_port is None):
            raise UsageError("no-spice", "the machine has no SPICE screen", hint="set display: {kind: spice} in its spec")
        if path is not None and host is not None:
            hint = "run 'qd open --spice' on that host, or set display.spice_port"
            raise UsageError("no-spice", "the machine's SPICE socket can be opened on its own host only", hint=hint)
        if path is not None:
            return _file(instance.layout.root.name, {"unix-path": str(path)})
        password = secrets.token_urlsafe(24)
        await instance.qmp.execute("set_password", {"protocol": "spice", "password": password, "connected": "keep"})
        await instance.qmp.execute("expire_password", {"protocol": "spice", "time": f"+{TICKET_SECONDS}"})
        return _file(instance.layout.root.name, {**_where(spec.display, instance.layout.spice, host), "password": password})


def _where(display: DisplaySpec, folder: Path, host: str | None) -> dict[str, str]:
    address = display.spice_address.strip("[]")
    if is_wildcard(address):
        address = host or ("::1" if ":" in address else "127.0.0.1")
    if display.spice_tls is None:
        return {"host": address, "port": str(display.spice_port)}
    authority, certificate, _ = (folder / name for name in CERTIFICATES)
    try:
        known = x509.load_pem_x509_certificate(certificate.read_bytes())
        trusted = authority.read_text()
    except (OSError, ValueError) as error:
        raise UsageError("bad-certificate", "the certificate of the SPICE server cannot be read", reason=str(error)) from None
    return {"host": address, "tls-port": str(display.spice_port), "ca": trusted, "host-subject": _subject(known)}


def is_wildcard(address: str) -> bool:
    """Whether ``address`` means every address of the host."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _subject(certificate: x509.Certificate) -> str:
    """Return the subject as spice-gtk compares it: in the order of the certificate, commas and backslashes escaped."""
    parts = (attribute for relative in certificate.subject.rdns for attribute in relative)
    return ",".join(f"{part.rfc4514_attribute_name}={_escaped(str(part.value))}" for part in parts)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


def _file(title: str, fields: dict[str, str]) -> str:
    """Return the file; its values are escaped as GLib's key files are."""
    lines = {"type": "spice", **fields, "title": title, "delete-this-file": "1"}
    values = (f"{key}={value.replace(chr(92), chr(92) * 2).replace(chr(10), chr(92) + 'n')}" for key, value in lines.items())
    return "\n".join(("[virt-viewer]", *values, ""))


def copy_certificates(source: Path, target: Path, identity: Identity | None) -> None:
    """Copy the certificates to where QEMU's user can read them.

    Raises:
        HostError: one is missing, or the copy cannot be written.
    """
    for name in CERTIFICATES:
        try:
            content = (source / name).read_bytes()
        except OSError as error:
            hint = f"'display.spice_tls' names a folder with {', '.join(CERTIFICATES)}"
            raise HostError("no-certificate", f"{source / name} cannot be read", reason=error.strerror or "", hint=hint) from None
        fs.write_atomic(target / name, content, mode=0o600)
        if identity is not None:
            os.chown(target / name, identity.uid, identity.gid, follow_symlinks=False)
