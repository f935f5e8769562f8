from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.console.certificate import GeneratedCertificate
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import DisplayKind, DisplaySpec, MachineSpec
from quarterdeck.runtime.spice import CERTIFICATES, SpiceDoor, copy_certificates


class FakeQmp:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def execute(self, command: str, arguments: dict[str, Any]) -> None:
        self.told.append((command, arguments))


def door(folder: Path, *, socket: str | None = None, **display: Any) -> tuple[SpiceDoor, FakeQmp]:
    qmp = FakeQmp()
    instance: Any = SimpleNamespace(
        qmp=qmp, layout=MachineLayout(folder / "demo"), socket=lambda role: Path(socket) if socket and role == "spice" else None
    )
    spec = MachineSpec(display=DisplaySpec(**display))
    return SpiceDoor(lambda: instance, lambda: spec), qmp


def fields(text: str) -> dict[str, str]:
    head, *lines = text.splitlines()
    assert head == "[virt-viewer]"
    return dict(line.split("=", 1) for line in lines)


async def test_a_socket_is_named_with_its_signs_escaped_and_no_password_is_made(tmp_path):
    spice, qmp = door(tmp_path, socket="/a b\\c/spice.sock", kind=DisplayKind.SPICE)
    found = fields(await spice.connection_file())
    assert found == {"type": "spice", "unix-path": "/a b\\\\c/spice.sock", "title": "demo", "delete-this-file": "1"}
    assert qmp.told == []


@pytest.mark.parametrize(
    ("address", "host", "named"),
    [
        ("0.0.0.0", None, "127.0.0.1"),
        ("[::]", None, "::1"),
        ("::", "desk.example", "desk.example"),
        ("192.0.2.1", "desk.example", "192.0.2.1"),
    ],
)
async def test_a_port_is_named_as_the_client_reaches_it_with_a_password_of_a_moment(tmp_path, address, host, named):
    spice, qmp = door(tmp_path, kind=DisplayKind.SPICE, spice_port=5930, spice_address=address)
    found = fields(await spice.connection_file(host))
    assert (found["host"], found["port"], "tls-port" in found) == (named, "5930", False)
    assert qmp.told == [
        ("set_password", {"protocol": "spice", "password": found["password"], "connected": "keep"}),
        ("expire_password", {"protocol": "spice", "time": "+120"}),
    ]
    assert found["password"] != fields(await spice.connection_file(host))["password"]


async def test_with_tls_the_file_says_whom_to_trust(tmp_path):
    source, target = tmp_path / "given", tmp_path / "demo" / "vm" / "spice"
    source.mkdir()
    target.mkdir(parents=True)
    GeneratedCertificate(source / "made", []).files()
    for name in CERTIFICATES:
        (source / name).write_bytes((source / "made").read_bytes())
    copy_certificates(source, target, None)
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    spice, _ = door(tmp_path, kind=DisplayKind.SPICE, spice_port=5930, spice_tls=str(source))
    found = fields(await spice.connection_file())
    assert (found["tls-port"], found["host-subject"], "port" in found) == ("5930", "CN=Quarterdeck console", False)
    assert found["ca"].replace("\\n", "\n") == (source / "made").read_text()


async def test_a_machine_without_spice_says_how_to_get_it(tmp_path):
    spice, _ = door(tmp_path)
    with pytest.raises(UsageError) as caught:
        await spice.connection_file()
    assert caught.value.key == "no-spice"


def test_missing_certificates_are_told_by_name(tmp_path):
    with pytest.raises(HostError) as caught:
        copy_certificates(tmp_path, tmp_path, None)
    assert "ca-cert.pem" in caught.value.message
