"""Nodes behind a real sshd: keys, host keys, shared connections, what is proved there, and hosts that are dead."""

import asyncio
import os
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.build.nodes_lab import free_port, lead_ssh_to, make_key, ssh_host

from quarterdeck.build.nodes import ssh
from quarterdeck.build.nodes.lifecycle import bootstrap
from quarterdeck.build.nodes.model import EngineName, Kind, Node, Runs
from quarterdeck.build.nodes.probe.remote import probe_ssh, survey
from quarterdeck.build.nodes.probe.run import examine, probe, probe_all, ssh_address
from quarterdeck.build.nodes.ssh import SshAddress, close, ssh_run
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import run_async
from quarterdeck.core.report import Event, Message, Step, StepStatus
from quarterdeck.errors import DeadlineError, HostError, TargetError

pytestmark = pytest.mark.integration
SECONDS = 60.0


@pytest.fixture(autouse=True)
def control(monkeypatch, tmp_path):
    """Connections of these tests alone."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = Path(f"/tmp/qd-t{os.getpid()}")
    monkeypatch.setattr(ssh, "control_folder", lambda: folder if ssh._is_private(folder) else None)
    yield folder
    for file in folder.glob("*"):
        file.unlink()
    folder.rmdir()


@pytest.fixture
def host(tmp_path):
    with ssh_host(tmp_path / "host") as running:
        yield running
        if running.known_hosts.exists():
            asyncio.run(close(running.address))


async def test_a_host_key_that_is_not_known_is_refused_until_that_is_said(host):
    with pytest.raises(TargetError) as caught:
        await ssh_run(host.address, ["true"], timeout=SECONDS)
    assert caught.value.key == "ssh-host-key-unknown"
    assert not host.known_hosts.exists()
    await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
    await close(host.address)
    assert (await ssh_run(host.address, ["echo", "it's", "$HOME"], timeout=SECONDS)).text == "it's $HOME\n"


async def test_a_changed_host_key_is_refused_even_when_new_ones_are_accepted(host):
    await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
    await close(host.address)
    host.new_host_key()
    with pytest.raises(TargetError) as caught:
        await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
    assert caught.value.key == "ssh-host-key-changed"
    assert "ssh-keygen -R" in caught.value.hint


async def test_a_key_that_the_host_does_not_know_is_denied_without_a_question(host, tmp_path):
    make_key(tmp_path / "other")
    stranger = SshAddress("127.0.0.1", user="root", port=host.port, identity=tmp_path / "other", known_hosts=host.known_hosts)
    with pytest.raises(TargetError) as caught:
        await ssh_run(stranger, ["true"], timeout=SECONDS, accept_host_key=True)
    assert caught.value.key == "ssh-denied"


async def test_a_key_that_was_accepted_and_cannot_be_kept_is_an_error(host, tmp_path):
    (tmp_path / "in the way").write_text("no folder")
    nowhere = replace(host.address, known_hosts=tmp_path / "in the way/known_hosts")
    with pytest.raises(HostError) as caught:
        await ssh_run(nowhere, ["true"], timeout=SECONDS, accept_host_key=True)
    assert caught.value.key == "host-key-not-kept"
    assert str(nowhere.known_hosts) in caught.value.reason


async def test_commands_share_one_connection_that_ends_when_told(host, control):
    await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
    (connection,) = control.iterdir()
    assert connection.is_socket()
    first, second = [(await ssh_run(host.address, ["sh", "-c", "echo $SSH_CONNECTION"], timeout=SECONDS)).text for _ in range(2)]
    assert first == second
    await close(host.address)
    assert list(control.iterdir()) == []


async def test_a_host_is_asked_and_its_platforms_are_proved(host):
    found = await survey(host.address, timeout=SECONDS, accept_host_key=True)
    assert found.arch == host_arch()
    assert found.cpus >= 1
    assert found.memory > 1 << 28
    assert found.ran[host_arch().name].status == 42
    assert found.ran[host_arch().name].rooted
    answer = await probe_ssh(host.address, timeout=SECONDS)
    assert answer.found[Platform.of_host()][0] is Runs.NATIVE
    assert {engine.name for engine in answer.engines} >= {EngineName.BUILDAH, EngineName.PODMAN}


async def test_nothing_is_left_on_a_host_that_was_asked(host, tmp_path):
    before = set(os.listdir(tempfile.gettempdir()))
    await survey(host.address, timeout=SECONDS, accept_host_key=True)
    assert not [name for name in set(os.listdir(tempfile.gettempdir())) - before if name.startswith("qd.")]


async def test_a_node_is_made_ready_once_and_known_afterwards(host, tmp_path, monkeypatch):
    lead_ssh_to(host, tmp_path / "bin", monkeypatch)
    node = Node(name="far", kind=Kind.SSH, endpoint=host.endpoint, engine=EngineName.BUILDAH)
    unknown = await probe(node, deadline=SECONDS)
    assert not unknown.healthy
    assert "--accept-host-key" in unknown.hint
    events: list[Event] = []
    await bootstrap(node, deadline=SECONDS, accept_host_key=True, report=events.append)
    assert [event.status for event in events if isinstance(event, Step)] == [StepStatus.RUNNING, StepStatus.DONE]
    known = await probe(node, deadline=SECONDS)
    assert known.healthy, known.problem
    assert [engine.name for engine in known.engines] == [EngineName.BUILDAH]
    assert known.platforms[Platform.of_host()] is Runs.NATIVE
    await close(SshAddress("127.0.0.1", user="root", port=host.port))


async def test_a_machine_is_reached_by_its_forward_and_has_host_keys_of_its_own(host, tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home/machines/arm"
    folder.mkdir(parents=True)
    forward = f'{{"address": "127.0.0.1", "host": {host.port}, "guest": 22, "protocol": "tcp", "count": 1}}'
    (folder / "state.json").write_text(f'{{"state": "ready", "login": "root", "uuid": "7", "ports": [{forward}]}}')
    node = Node(name="arm", kind=Kind.MACHINE, endpoint="machine://arm", identity=host.folder / "user")
    assert "--accept-host-key" in (await probe(node, deadline=SECONDS)).hint
    events: list[Event] = []
    assert (await bootstrap(node, deadline=SECONDS, accept_host_key=True, report=events.append)).healthy
    (fingerprint,) = [event.text for event in events if isinstance(event, Message)]
    assert "SHA256:" in fingerprint
    # The host keys that Debian's client writes are hashed.
    assert await run_async(["ssh-keygen", "-F", "quarterdeck-7", "-f", tmp_path / "home/builds/known_hosts"])
    await close(ssh_address(node))


async def test_a_login_shell_that_is_none_is_told_in_words(host):
    authorized = host.folder / "user.pub"
    authorized.write_text(f'command="echo This account is not available." {authorized.read_text()}')
    with pytest.raises(TargetError) as caught:
        await survey(host.address, timeout=SECONDS, accept_host_key=True)
    assert caught.value.key == "survey-cut-short"
    assert "not available" in caught.value.reason


@pytest.fixture
def silent():
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_dead_hosts_are_facts_and_do_not_hold_up_the_living(host, silent, tmp_path, monkeypatch):
    lead_ssh_to(host, tmp_path / "bin", monkeypatch)
    await examine(Node(name="x", kind=Kind.SSH, endpoint=host.endpoint), deadline=SECONDS, accept_host_key=True)
    closed = free_port()
    nodes = [
        Node(name="closed", kind=Kind.SSH, endpoint=f"ssh://root@127.0.0.1:{closed}"),
        Node(name="silent", kind=Kind.SSH, endpoint=f"ssh://root@127.0.0.1:{silent}"),
        Node(name="no-daemon", kind=Kind.BUILDKIT, endpoint=f"tcp://127.0.0.1:{closed}"),
        Node(name="black-hole", kind=Kind.BUILDKIT, endpoint=f"tcp://127.0.0.1:{silent}"),
        Node(name="no-socket", kind=Kind.BUILDKIT, endpoint="unix:///nowhere/buildkitd.sock"),
        Node(name="living", kind=Kind.SSH, endpoint=host.endpoint),
    ]
    found = {facts.name: facts for facts in await probe_all(nodes, deadline=8)}
    assert [name for name, facts in found.items() if facts.healthy] == ["living"]
    assert "Connection refused" in found["closed"].problem
    assert "Connection refused" in found["no-daemon"].problem
    assert "did not answer within 8 s" in found["silent"].problem
    assert "did not answer within 8 s" in found["black-hole"].problem
    assert "No such file" in found["no-socket"].problem
    await close(SshAddress("127.0.0.1", user="root", port=host.port))


async def test_a_command_that_hangs_there_ends_in_time(host):
    await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
    with pytest.raises(DeadlineError):
        await ssh_run(host.address, ["sleep", "1000"], timeout=1)
