import json

import pytest

from quarterdeck.build.nodes.machine import machine_address
from quarterdeck.errors import QuarterdeckError

FORWARD = {"address": "127.0.0.1", "host": 2222, "guest": 22, "protocol": "tcp", "count": 1}


@pytest.fixture
def write(monkeypatch, tmp_path):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path))

    def write(content, name="arm"):
        folder = tmp_path / "machines" / name
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(content if isinstance(content, str) else json.dumps(content))

    return write


def test_a_machine_is_reached_by_its_forward_of_port_22(write, tmp_path):
    write({"state": "ready", "login": "debian", "uuid": "1-2", "ports": [{**FORWARD, "guest": 80}, FORWARD]})
    address = machine_address("arm")
    assert (address.host, address.port, address.user) == ("127.0.0.1", 2222, "debian")
    assert address.alias == "quarterdeck-1-2"
    assert address.known_hosts == tmp_path / "builds/known_hosts"


@pytest.mark.parametrize(
    ("port", "host", "number"),
    [
        ({**FORWARD, "address": "0.0.0.0"}, "127.0.0.1", 2222),
        ({**FORWARD, "address": "::"}, "::1", 2222),
        ({**FORWARD, "host": 8020, "guest": 20, "count": 5}, "127.0.0.1", 8022),
    ],
)
def test_forwards_of_every_form_are_understood(write, port, host, number):
    write({"state": "running", "ports": [port]})
    assert (machine_address("arm").host, machine_address("arm").port) == (host, number)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"state": "stopped", "ports": [FORWARD]}, "machine-not-running"),
        ({"state": "ready", "ports": []}, "machine-without-ssh"),
        ({"state": "ready", "ports": [{**FORWARD, "protocol": "udp"}]}, "machine-without-ssh"),
        ({"state": "ready", "ports": [{**FORWARD, "guest": 23}]}, "machine-without-ssh"),
        ({"state": "ready", "ports": [3, None, {}, {"guest": "x"}, {"guest": 22, "protocol": "tcp"}]}, "machine-without-ssh"),
        ({"state": "ready", "ports": "x"}, "machine-without-ssh"),
        ([], "machine-not-running"),
        ("{", "machine-state-unreadable"),
        ("[" * 100000, "machine-state-unreadable"),
    ],
)
def test_machines_that_cannot_be_reached_say_why_and_what_to_do(write, content, key):
    write(content)
    with pytest.raises(QuarterdeckError) as caught:
        machine_address("arm")
    assert caught.value.key == key


def test_a_machine_that_is_not_there_is_an_error(write):
    with pytest.raises(QuarterdeckError, match="no machine 'x'"):
        machine_address("x")
