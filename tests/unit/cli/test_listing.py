import time

import pytest

from quarterdeck.cli import listing
from quarterdeck.cli.listing import short_boot
from quarterdeck.runtime.state import State
from quarterdeck.runtime.store import MachineRecord


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "now"), (59, "59s ago"), (60, "1m ago"), (7199, "1h ago"), (86400 * 3, "3d ago"), (-5, "now")]
)
def test_time_since_is_in_its_largest_unit(monkeypatch, seconds, text):
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    assert listing._ago(1_000_000.0 - seconds) == text


def test_time_that_nobody_knows_is_empty():
    assert listing._ago(0) == listing._since(0) == ""


@pytest.mark.parametrize(("boot", "text"), [("debian:trixie", "debian:trixie"), ("/images/Mein Bild.qcow2", "Mein Bild.qcow2"), ("", "")])
def test_what_boots_is_shown_without_its_folder(boot, text):
    assert short_boot(boot) == text


@pytest.mark.parametrize(
    ("port", "text"),
    [
        ({"address": "127.0.0.1", "host": 8080, "guest": 80, "protocol": "tcp", "count": 1}, "127.0.0.1:8080 to 80"),
        ({"address": "0.0.0.0", "host": 53, "guest": 53, "protocol": "udp", "count": 1}, "0.0.0.0:53 to 53/udp"),
        ({"address": "::1", "host": 8000, "guest": 9000, "protocol": "tcp", "count": 11}, "::1:8000-8010 to 9000-9010"),
    ],
)
def test_ports_are_read_from_host_to_guest(port, text):
    assert listing._port(port) == text


def test_machine_without_supervisor_is_marked():
    record = MachineRecord(name="a", state=State.READY, qemu_alive=True, supervised=False)
    assert str(listing._state(record)) == "ready (no supervisor)"
