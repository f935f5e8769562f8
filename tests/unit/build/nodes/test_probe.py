import asyncio
import contextlib
from pathlib import Path

import pytest

from quarterdeck.build.nodes import lifecycle
from quarterdeck.build.nodes.docker import DockerClient
from quarterdeck.build.nodes.lifecycle import bootstrap, create_words, remote_words
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Kind, Node, NodeFacts, Runs, Tls
from quarterdeck.build.nodes.probe import run
from quarterdeck.build.nodes.probe.answer import Answer, facts, slots
from quarterdeck.build.nodes.ssh import SSH_FAILED
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, TargetError, UsageError

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
NODE = Node(name="a", kind=Kind.SSH, endpoint="ssh://h")
ENGINES = (EngineFacts(EngineName.DOCKER, "20.10"), EngineFacts(EngineName.BUILDAH, "1.28"))
ANSWER = Answer({ARM64: (Runs.EMULATED, "e"), AMD64: (Runs.NATIVE, "n")}, ENGINES, 8, 4 << 30)


@pytest.mark.parametrize(
    ("cpus", "memory", "count"), [(8, 64 << 30, 8), (8, 3 << 30, 3), (1, 64 << 30, 1), (4, 1, 1), (4, 0, 4), (0, 0, 2), (0, 1 << 30, 1)]
)
def test_slots_are_one_for_each_processor_as_far_as_memory_goes(cpus, memory, count):
    assert slots(cpus, memory) == count


def test_facts_have_what_the_user_set_and_what_was_found():
    found = facts(Node(name="a", kind=Kind.SSH, endpoint="ssh://h", slots=9, weight=2), ANSWER, seconds=1.5)
    assert (found.slots, found.weight, found.seconds, found.healthy) == (9, 2, 1.5, True)
    assert list(found.platforms) == [AMD64, ARM64]
    assert found.having(Runs.EMULATED) == (ARM64,)
    assert found.to_json()["platforms"] == {"linux/amd64": "native", "linux/arm64": "emulated"}


def test_only_the_engine_that_the_user_wants_counts():
    wanted = Node(name="a", kind=Kind.SSH, endpoint="ssh://h", engine=EngineName.BUILDAH)
    assert [engine.name for engine in facts(wanted, ANSWER, seconds=0).engines] == ["buildah"]
    with pytest.raises(HostError) as caught:
        facts(Node(name="a", kind=Kind.SSH, endpoint="ssh://h", engine=EngineName.PODMAN), ANSWER, seconds=0)
    assert "docker, buildah" in caught.value.reason
    assert "apt install podman" in caught.value.hint


def test_a_node_without_an_engine_is_none_and_says_what_to_install():
    with pytest.raises(HostError) as caught:
        facts(NODE, Answer({}, ()), seconds=0)
    assert "apt install podman" in caught.value.hint


async def test_whatever_goes_wrong_with_a_node_is_a_fact(monkeypatch):
    async def refuse(node, deadline, **options):
        match node.name:
            case "refused":
                raise TargetError("x", "it refused", reason="because\nof it", hint="do this")
            case "broken":
                raise ConnectionResetError(104, "Connection reset by peer")
            case "silent":
                await asyncio.Event().wait()
        return ANSWER

    monkeypatch.setattr(run, "_ask", refuse)
    nodes = [Node(name=name, kind=Kind.SSH, endpoint="ssh://h") for name in ("refused", "broken", "silent", "fine")]
    found = await run.probe_all(nodes, deadline=0.05)
    assert [one.name for one in found] == ["refused", "broken", "silent", "fine"]
    assert [one.healthy for one in found] == [False, False, False, True]
    assert (found[0].problem, found[0].hint) == ("it refused: because of it", "do this")
    assert found[1].problem == "Connection reset by peer"
    assert "0.05 s" in found[2].problem
    assert found[0].platforms == {}


@pytest.mark.parametrize(
    ("fixed", "wanted", "tried"),
    [((), None, None), ((ARM64,), None, None), ((), [AMD64], {AMD64}), ((ARM64,), [AMD64], {AMD64, ARM64})],
)
async def test_this_host_tries_what_is_wanted_and_what_the_user_fixed(monkeypatch, fixed, wanted, tried):
    asked = []

    async def probe_local(*, timeout, wanted):
        asked.append(wanted)
        return ANSWER

    monkeypatch.setattr(run, "probe_local", probe_local)
    (found,) = await run.probe_all([Node(name="local", kind=Kind.LOCAL, endpoint="local", platforms=fixed)], wanted=wanted)
    assert found.healthy, found.problem
    assert asked == [tried]


def test_the_docker_client_is_told_which_engine(monkeypatch):
    monkeypatch.setattr("quarterdeck.core.process.find", lambda name: f"/bin/{name}")
    assert DockerClient(context="c").argv("info") == ["/bin/docker", "--context", "c", "info"]
    assert DockerClient().argv("info") == ["/bin/docker", "info"]
    tls = Tls(Path("/ca"), Path("/cert"), Path("/key"))
    assert DockerClient(host="tcp://h:2376", tls=tls).argv("info") == [
        "/bin/docker",
        "--host",
        "tcp://h:2376",
        "--tlsverify",
        "--tlscacert=/ca",
        "--tlscert=/cert",
        "--tlskey=/key",
        "info",
    ]


def test_without_a_docker_client_its_package_is_named(monkeypatch):
    monkeypatch.setattr("quarterdeck.core.process.find", lambda name: None)
    with pytest.raises(HostError) as caught:
        DockerClient().argv("info")
    assert "docker.io" in caught.value.hint


def test_a_container_builder_is_made_as_the_user_set_it():
    options = {"image": "moby/buildkit:rootless", "env.A": 'x,"y"', "context": "far"}
    node = Node(name="a", kind=Kind.CONTAINER, endpoint="docker-container://fast", options=options, platforms=(AMD64, ARM64))
    assert create_words(node) == [
        "create",
        "--name",
        "fast",
        "--driver",
        "docker-container",
        "--bootstrap",
        "--driver-opt=image=moby/buildkit:rootless",
        '--driver-opt="env.A=x,""y"""',
        "--platform",
        "linux/amd64,linux/arm64",
        "far",
    ]


async def test_only_what_has_a_host_key_can_have_it_accepted():
    with pytest.raises(UsageError):
        await bootstrap(Node(name="a", kind=Kind.BUILDKIT, endpoint="tcp://h:1"), accept_host_key=True)


@pytest.mark.parametrize(("kind", "asked"), [(Kind.MACHINE, 3), (Kind.SSH, 1)])
async def test_a_machine_that_boots_is_given_time_to_answer(monkeypatch, kind, asked):
    calls = []

    async def examine(node, *, deadline, accept_host_key):
        calls.append(deadline)
        if len(calls) < 3:
            raise TargetError(SSH_FAILED, "it cannot be reached by SSH", reason="Connection reset")
        return NodeFacts(name=node.name)

    monkeypatch.setattr(lifecycle, "examine", examine)
    monkeypatch.setattr(lifecycle, "_PAUSE", 0.0)
    with contextlib.suppress(TargetError):
        assert (await bootstrap(Node(name="far", kind=kind, endpoint="machine://far"), deadline=50)).healthy
    assert len(calls) == asked
    assert all(1 <= seconds <= 50 for seconds in calls)


def test_buildx_is_told_where_the_tls_files_of_a_daemon_are():
    tls = Tls(Path("/a,b.pem"), Path("/cert"), Path("/key"), "buildkitd")
    assert remote_words(Node(name="far", kind=Kind.BUILDKIT, endpoint="tcp://h:1", tls=tls)) == [
        "create",
        "--name",
        "quarterdeck-far",
        "--driver",
        "remote",
        '--driver-opt="cacert=/a,b.pem"',
        "--driver-opt=cert=/cert",
        "--driver-opt=key=/key",
        "--driver-opt=servername=buildkitd",
        "tcp://h:1",
    ]
