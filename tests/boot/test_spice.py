"""SPICE as clients meet it: QEMU's own server, on a Unix socket, on a port, and with TLS."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boot.lifecycle_lab import Lab, lab
from tests.boot.spice_client import OK, PERMISSION_DENIED, Vv, log_in

from quarterdeck.console.certificate import GeneratedCertificate
from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import DisplayKind, DisplaySpec
from quarterdeck.runtime.spice import CERTIFICATES

pytestmark = pytest.mark.boot


@pytest.fixture(name="lab", scope="module")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def test_the_socket_lets_its_owner_in_and_the_console_shows_the_same_screen_by_vnc(lab):
    lab.create("unix", display=DisplaySpec(kind=DisplayKind.SPICE))
    async with lab.supervised("unix") as machine:
        await machine.until("running", "ready")
        vv = Vv.parse(await machine.supervisor.spice.connection_file())
        assert vv.fields["unix-path"].endswith("/vm/spice.sock")
        assert await log_in(vv) == OK
        with pytest.raises(UsageError, match="own host"):
            await machine.supervisor.spice.connection_file("desk.example")
        reader, writer = await machine.supervisor.open_vnc()
        assert (await reader.readexactly(12)).startswith(b"RFB ")
        writer.close()
        await machine.supervisor.kill()
        await machine.code()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_port_lets_nobody_in_but_for_a_moment_whoever_has_a_new_file(lab, tmp_path: Path, tls: bool):
    name, folder = ("tls", tmp_path) if tls else ("port", None)
    if folder is not None:
        GeneratedCertificate(folder / "made", []).files()
        for file in CERTIFICATES:
            (folder / file).write_bytes((folder / "made").read_bytes())
    port = free_port()
    wanted = DisplaySpec(
        kind=DisplayKind.SPICE, spice_port=port, spice_address="0.0.0.0", spice_tls=None if folder is None else str(folder)
    )
    lab.create(name, display=wanted)
    async with lab.supervised(name) as machine:
        await machine.until("running", "ready")
        door = machine.supervisor.spice
        before = Vv({"host": "127.0.0.1", "port": str(port), "tls-port": str(port)}) if not tls else None
        if before is not None:
            del before.fields["tls-port"]
            assert await log_in(before, password="") == PERMISSION_DENIED
        first = Vv.parse(await door.connection_file())
        assert await log_in(first, password="guess") == PERMISSION_DENIED
        assert await log_in(first) == OK
        second = Vv.parse(await door.connection_file("localhost"))
        assert second.fields["host"] == "localhost"
        assert (await log_in(first), await log_in(second)) == (PERMISSION_DENIED, OK)
        assert second.fields["delete-this-file"] == "1"
        assert second.fields.get("host-subject") == ("CN=Quarterdeck console" if tls else None)
        instance = machine.supervisor._instance
        assert instance is not None
        await instance.qmp.execute("expire_password", {"protocol": "spice", "time": "now"})
        assert await log_in(second) == PERMISSION_DENIED
        await machine.supervisor.kill()
        await machine.code()
