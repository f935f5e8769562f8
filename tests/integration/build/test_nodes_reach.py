"""Engines on a host behind SSH build what is here: Docker and podman, with a real sshd between."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.engines.docker import Docker
from tests.engines.podman import Storage
from tests.integration.build.nodes_lab import free_port, lead_ssh_to, ssh_host

from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.nodes import ssh
from quarterdeck.build.nodes.model import EngineName, Kind, Node
from quarterdeck.build.nodes.reach.bridge import docker_socket, podman_socket
from quarterdeck.build.nodes.reach.node import reach
from quarterdeck.build.nodes.ssh import SshAddress, ssh_run
from quarterdeck.core.process import run_async
from quarterdeck.errors import HostError, TargetError

pytestmark = pytest.mark.integration
SECONDS = 100.0


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Connections of these tests are not shared, so that none outlives its test."""
    monkeypatch.setattr(ssh, "control_folder", lambda: None)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def _services() -> set[str]:
    """Return the folders of podman services that run here."""
    return {name for name in os.listdir("/tmp") if name.startswith("qd-podman-") and os.path.exists(f"/tmp/{name}/podman.sock")}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY big /big\n")
    (folder / "big").write_bytes(os.urandom(3 << 20))
    return folder


async def test_docker_behind_ssh_builds_what_is_here(host_docker: Docker, context, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "client"))
    with ssh_host(tmp_path / "host", {"DOCKER_HOST": f"unix://{host_docker.socket}"}) as host:
        await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
        lead_ssh_to(host, tmp_path / "bin", monkeypatch)
        node = Node(name="far", kind=Kind.SSH, endpoint=host.endpoint)
        async with reach(node, EngineName.DOCKER) as endpoint:
            argv = ["/usr/bin/docker", *endpoint.docker, "build", "-q", "-t", "far:test", str(context)]
            await run_async(argv, env={"DOCKER_BUILDKIT": "1"}, timeout=SECONDS)
            saved = await run_async(["/usr/bin/docker", *endpoint.docker, "save", "far:test"], timeout=SECONDS)
        assert len(saved.stdout) > 3 << 20
    assert "far:test" in host_docker("image", "ls", "--format={{.Repository}}:{{.Tag}}").text
    host_docker("rmi", "far:test")


async def test_podman_behind_ssh_builds_what_is_here_and_its_service_ends(host_podman: Storage, context, tmp_path):
    with ssh_host(tmp_path / "host", host_podman.env) as host:
        await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
        before = _services()
        async with podman_socket(host.address) as socket:
            podman = ["podman", "--url", f"unix://{socket}"]
            await run_async([*podman, "build", "-q", "-t", "localhost/far:test", str(context)], timeout=SECONDS)
            saved = await run_async([*podman, "save", "--format=oci-archive", "localhost/far:test"], timeout=SECONDS)
            (there,) = _services() - before
        assert len(saved.stdout) > 3 << 20
        for _ in range(100):
            if there not in _services():
                break
            await asyncio.sleep(0.1)
        assert there not in _services()
    host_podman.podman("rmi", "localhost/far:test")


async def test_a_host_without_the_engine_says_so(tmp_path):
    with ssh_host(tmp_path / "host", {"CONTAINERS_STORAGE_CONF": "/nowhere/storage.conf"}) as host:
        with pytest.raises(TargetError) as unknown:
            async with podman_socket(host.address):
                pass
        assert unknown.value.key == "ssh-host-key-unknown"
        await ssh_run(host.address, ["true"], timeout=SECONDS, accept_host_key=True)
        with pytest.raises(TargetError) as caught:
            async with podman_socket(host.address):
                pass
        assert caught.value.key == "podman-not-started"
        assert caught.value.reason


async def test_the_docker_client_is_told_when_the_host_is_gone(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "client"))
    async with docker_socket(SshAddress("127.0.0.1", user="root", port=free_port())) as socket:
        done = await run_async(["/usr/bin/docker", "--host", f"unix://{socket}", "version"], timeout=SECONDS, check=False)
    assert done.returncode != 0


async def test_buildah_alone_takes_no_builds_from_afar_and_says_what_does(tmp_path):
    node = Node(name="far", kind=Kind.SSH, endpoint="ssh://root@127.0.0.1:1")
    with pytest.raises(HostError) as caught:
        async with reach(node, EngineName.BUILDAH):
            pass
    assert "apt install podman" in caught.value.hint


async def test_nodes_that_clients_reach_themselves_need_options_only():
    async def words(kind: Kind, url: str, engine: EngineName) -> Endpoint:
        async with reach(Node(name="x", kind=kind, endpoint=url), engine) as endpoint:
            return endpoint

    assert await words(Kind.LOCAL, "local", EngineName.BUILDAH) == Endpoint()
    assert (await words(Kind.DOCKER_CONTEXT, "docker-context://c", EngineName.DOCKER)).docker == ("--context", "c")
    assert (await words(Kind.BUILDKIT, "unix:///d.sock", EngineName.DOCKER)).docker == ("--host", "unix:///d.sock")
    assert (await words(Kind.BUILDX, "buildx://team", EngineName.BUILDX)).builder == "team"
