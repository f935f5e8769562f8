"""Nodes that are real engines: Debian's Docker Engine, by socket, by context and by SSH, and what else answers at a socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.engines.docker import Docker
from tests.engines.newest import Buildkit
from tests.integration.build.nodes_lab import ssh_host

from quarterdeck.build.nodes.lifecycle import bootstrap, check_new, remove
from quarterdeck.build.nodes.model import EngineName, Kind, Node, Runs, Tls
from quarterdeck.build.nodes.probe.local import probe_local
from quarterdeck.build.nodes.probe.remote import probe_ssh
from quarterdeck.build.nodes.probe.run import probe
from quarterdeck.build.nodes.reach.node import reach
from quarterdeck.build.nodes.ssh import close
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import run
from quarterdeck.errors import UsageError

pytestmark = pytest.mark.integration
SECONDS = 60.0
HOST = Platform.of_host()


@pytest.fixture
def docker(host_docker: Docker, monkeypatch, tmp_path) -> Docker:
    """Debian's client and Engine; its configuration is this test's."""
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "client"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return host_docker


async def test_a_docker_context_is_asked_for_its_platforms(docker):
    run(["docker", "context", "create", "lab", f"--docker=host=unix://{docker.socket}"])
    node = Node(name="lab", kind=Kind.DOCKER_CONTEXT, endpoint="docker-context://lab")
    await check_new(node)
    found = await probe(node, deadline=SECONDS)
    assert found.healthy, found.problem
    assert [engine.name for engine in found.engines] == [EngineName.DOCKER]
    assert found.engines[0].version == docker("version", "--format={{.Server.Version}}").text.strip()
    assert found.platforms[HOST] is Runs.NATIVE
    assert found.reasons[HOST].endswith("BuildKit ran a program of it")
    assert found.memory > 1 << 28
    assert found.notes == ()


async def test_a_context_that_is_not_there_is_refused_with_those_that_are(docker):
    with pytest.raises(UsageError) as caught:
        await check_new(Node(name="x", kind=Kind.DOCKER_CONTEXT, endpoint="docker-context://x"))
    assert "default" in caught.value.hint


async def test_the_socket_of_docker_is_no_buildkit_but_can_be_used_as_docker(docker):
    node = Node(name="x", kind=Kind.BUILDKIT, endpoint=f"unix://{docker.socket}")
    wrong = await probe(node, deadline=SECONDS)
    assert not wrong.healthy
    assert "--engine docker" in wrong.hint
    right = await probe(Node(name="x", kind=Kind.BUILDKIT, endpoint=node.endpoint, engine=EngineName.DOCKER), deadline=SECONDS)
    assert right.platforms[HOST] is Runs.NATIVE


async def test_docker_behind_ssh_is_asked_too(docker, tmp_path):
    with ssh_host(tmp_path / "host", {"DOCKER_HOST": f"unix://{docker.socket}"}) as host:
        answer = await probe_ssh(host.address, timeout=SECONDS, accept_host_key=True)
        assert answer.engines[0].name is EngineName.DOCKER
        assert answer.found[HOST][0] is Runs.NATIVE
        assert answer.notes == ()
        await close(host.address)


async def test_this_host_has_the_engine_that_its_client_leads_to(docker, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker.socket}")
    answer = await probe_local(timeout=SECONDS)
    assert EngineName.DOCKER in {engine.name for engine in answer.engines}
    assert answer.found[HOST][0] is Runs.NATIVE
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    away = await probe_local(timeout=SECONDS)
    assert EngineName.DOCKER not in {engine.name for engine in away.engines}
    assert "tcp://10.0.0.1:2375" in away.notes[0]


async def test_a_docker_engine_that_is_gone_is_a_fact(docker):
    run(["docker", "context", "create", "gone", "--docker=host=unix:///nowhere/docker.sock"])
    found = await probe(Node(name="gone", kind=Kind.DOCKER_CONTEXT, endpoint="docker-context://gone"), deadline=SECONDS)
    assert not found.healthy
    assert "no Docker Engine answers" in found.problem


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, a certificate of ``buildkitd`` and one of ``client``, each with its key."""
    folder = tmp_path_factory.mktemp("tls")
    new: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    new += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]  # without it Python 3.13 trusts no authority
    run([*new, "-subj", "/CN=ca", "-keyout", folder / "ca.key", "-out", folder / "ca.pem"])
    for name in ("buildkitd", "client"):
        issuer: list[str | Path] = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", f"subjectAltName=DNS:{name}"]
        run([*new, *issuer, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"])
    return folder


@asynccontextmanager
async def tls_in_front_of(socket: Path, certificates: Path) -> AsyncIterator[int]:
    """Offer a Unix socket on a port with TLS, to clients with a certificate of the CA."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "buildkitd.pem", certificates / "buildkitd.key")
    context.set_alpn_protocols(["h2"])

    async def copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)
        for one in (inner_writer, writer):
            one.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def remote(port: int, tls: Tls) -> Node:
    return Node(name="far", kind=Kind.BUILDKIT, endpoint=f"tcp://127.0.0.1:{port}", tls=tls)


@pytest.mark.engines
async def test_buildkit_is_asked_over_its_socket(host_buildkitd: Buildkit):
    found = await probe(Node(name="near", kind=Kind.BUILDKIT, endpoint=host_buildkitd.address), deadline=SECONDS)
    assert found.healthy, found.problem
    assert found.engines[0].name is EngineName.BUILDKIT
    assert found.engines[0].version in host_buildkitd.buildctl("--version").text
    assert found.platforms[HOST] is Runs.NATIVE
    listed = host_buildkitd.buildctl("debug", "workers", "--verbose").text
    assert all(str(platform) in listed for platform in found.platforms if platform.architecture != "arm")


@pytest.mark.engines
async def test_buildkit_is_asked_over_tls_and_strangers_are_refused(host_buildkitd: Buildkit, certificates: Path):
    socket = Path(host_buildkitd.address.removeprefix("unix://"))
    ca, ours, key = certificates / "ca.pem", certificates / "client.pem", certificates / "client.key"
    async with tls_in_front_of(socket, certificates) as port:
        good = await probe(remote(port, Tls(ca, ours, key, "buildkitd")), deadline=SECONDS)
        assert good.healthy, good.problem
        assert good.platforms[HOST] is Runs.NATIVE
        wrong = {
            "no CA": Tls(None, ours, key, "buildkitd"),
            "another name": Tls(ca, ours, key),
            "no certificate": Tls(ca, server_name="buildkitd"),
            "no TLS": Tls(),
            "no such file": Tls(certificates / "absent.pem"),
            "no certificate in it": Tls(certificates / "ca.key"),
        }
        for why, tls in wrong.items():
            found = await probe(remote(port, tls), deadline=SECONDS)
            assert not found.healthy, why
            assert found.problem, why
        assert "not trusted" in (await probe(remote(port, wrong["no CA"]), deadline=SECONDS)).problem
        assert "--tls-server-name" in (await probe(remote(port, wrong["another name"]), deadline=SECONDS)).hint
        assert "cannot be used" in (await probe(remote(port, wrong["no such file"]), deadline=SECONDS)).problem


@pytest.mark.engines
async def test_a_builder_that_buildx_made_is_used_as_it_is(host_buildkitd: Buildkit, monkeypatch):
    for key, value in host_buildkitd.env.items():
        monkeypatch.setenv(key, value)
    node = Node(name="team", kind=Kind.BUILDX, endpoint="buildx://newest")
    await check_new(node)
    found = await bootstrap(node, deadline=SECONDS)
    assert found.platforms[HOST] is Runs.NATIVE
    assert found.engines[0].name is EngineName.BUILDX
    assert found.engines[0].version.startswith("0.")


@pytest.mark.engines
async def test_a_builder_with_a_dead_node_works_with_the_others_and_says_so(host_buildkitd: Buildkit, monkeypatch):
    for key, value in host_buildkitd.env.items():
        monkeypatch.setenv(key, value)
    host_buildkitd("create", "--driver=remote", "--name=pair", host_buildkitd.address)
    host_buildkitd("create", "--append", "--name=pair", "tcp://127.0.0.1:1")
    try:
        found = await probe(Node(name="pair", kind=Kind.BUILDX, endpoint="buildx://pair"), deadline=SECONDS)
        assert found.healthy, found.problem
        assert found.platforms[HOST] is Runs.NATIVE
        assert "a node of it is down" in found.notes[0]
    finally:
        host_buildkitd("rm", "--force", "pair", check=False)


@pytest.mark.engines
async def test_a_buildkit_daemon_gets_a_client_and_loses_it_with_the_node(host_buildkitd: Buildkit, monkeypatch, tmp_path):
    for key, value in host_buildkitd.env.items():
        monkeypatch.setenv(key, value)
    store = NodeStore(tmp_path / "builds/nodes.json")
    node = Node(name="near", kind=Kind.BUILDKIT, endpoint=host_buildkitd.address)
    await bootstrap(node, deadline=SECONDS)
    store.add(node)
    async with reach(node, EngineName.BUILDX) as endpoint:
        assert endpoint.builder == "quarterdeck-near"
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        output = f"type=oci,dest={tmp_path}/image.tar"
        host_buildkitd("build", f"--builder={endpoint.builder}", "--quiet", f"--output={output}", tmp_path)
    assert (tmp_path / "image.tar").stat().st_size > 0
    await remove(store, "near")
    assert "quarterdeck-near" not in host_buildkitd("ls").text
