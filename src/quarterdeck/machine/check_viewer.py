"""What contradicts itself in the fields of the web console."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.machine.spec import MachineSpec, ViewerSpec, ViewerTls
from quarterdeck.machine.validate import Finding

_SECRETS = ("password_file", "token_file", "view_token_file")


def viewer(spec: MachineSpec) -> Iterator[Finding]:
    """Yield what is wrong with ``spec.viewer``."""
    wanted = spec.viewer
    if wanted.enabled and wanted.port and wanted.port == spec.display.spice_port:
        yield Finding(("display", "spice_port"), "is the viewer's", "choose another port for one of them")
    yield from _tls(wanted)
    yield from _login(wanted)


def _tls(wanted: ViewerSpec) -> Iterator[Finding]:
    for name in ("tls_certificate", "tls_key"):
        given = getattr(wanted, name) is not None
        if wanted.tls is ViewerTls.FILES and not given:
            yield Finding(("viewer", "tls"), f"'files' needs '{name}'", "or set tls: generated")
        if wanted.tls is not ViewerTls.FILES and given:
            yield Finding(("viewer", name), f"has no effect with 'tls: {wanted.tls}'", "set tls: files")


def _login(wanted: ViewerSpec) -> Iterator[Finding]:
    for name in _SECRETS:
        if wanted.open and getattr(wanted, name) is not None:
            yield Finding(("viewer", "open"), f"contradicts '{name}'", "remove one of the two")
