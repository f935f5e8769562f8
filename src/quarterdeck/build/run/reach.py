"""How the engines of a node are reached from here."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.nodes.docker import DockerClient
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts
from quarterdeck.build.nodes.probe.run import ssh_address
from quarterdeck.build.run.tunnel import docker_tunnel, podman_tunnel
from quarterdeck.core import process
from quarterdeck.errors import HostError, TargetError

_BUILDER = "quarterdeck"
_BUILDX = frozenset({EngineName.BUILDX})
_DOCKER = frozenset({EngineName.BUILDX, EngineName.DOCKER})
_PODMAN = frozenset({EngineName.PODMAN})
_ALL = frozenset(EngineName)


@dataclass(frozen=True)
class Reached:
    """Where engines talk to a node, and which of the engines that are found then really build there."""

    endpoint: Endpoint
    engines: frozenset[EngineName]


@contextlib.asynccontextmanager
async def reach(node: Node, facts: NodeFacts) -> AsyncIterator[Reached]:
    """Give the way to ``node``, as long as the block.

    Raises:
        TargetError: nothing there can be used from another host, or it cannot be logged in to.
        HostError: a program is missing here.
    """
    endpoint = parse_endpoint(node.endpoint)
    match node.kind:
        case Kind.LOCAL:
            # The user's current builder may be anywhere; the one called default is this host's engine.
            yield Reached(Endpoint(environment={"BUILDX_BUILDER": os.environ.get("BUILDX_BUILDER", "default")}), _ALL)
        case Kind.DOCKER_CONTEXT:
            yield Reached(Endpoint(docker=("--context", endpoint.name), builder=endpoint.name, local=False), _DOCKER)
        case Kind.CONTAINER | Kind.BUILDX:
            yield Reached(Endpoint(builder=endpoint.name, local=False), _BUILDX)
        case Kind.BUILDKIT if node.engine is EngineName.DOCKER:
            words = DockerClient(host=endpoint.url, tls=node.tls).argv()[1:]
            yield Reached(Endpoint(docker=tuple(words), local=False), frozenset({EngineName.DOCKER}))
        case Kind.BUILDKIT:
            async with _remote_builder(node) as place:
                yield Reached(place, _BUILDX)
        case Kind.SSH | Kind.MACHINE:
            async with _over_ssh(node, facts) as reached:
                yield reached


@contextlib.asynccontextmanager
async def _over_ssh(node: Node, facts: NodeFacts) -> AsyncIterator[Reached]:
    there = {engine.name for engine in facts.engines}
    wanted = {node.engine} if node.engine is not None else there
    address = ssh_address(node)
    if EngineName.DOCKER in there & wanted:
        async with docker_tunnel(address) as socket:
            yield Reached(Endpoint(environment={"DOCKER_HOST": f"unix://{socket}", "BUILDX_BUILDER": "default"}, local=False), _DOCKER)
    elif EngineName.PODMAN in there & wanted:
        _need("podman", "it speaks to the one on the node")
        async with podman_tunnel(address) as socket:
            yield Reached(Endpoint(podman=("--url", f"unix://{socket}"), local=False), _PODMAN)
    else:
        found = ", ".join(sorted(engine.value for engine in there)) or "no engine"
        raise TargetError(
            "node-without-service",
            f"node {node.name} cannot be built on from here",
            reason=f"it has {found}, and only docker and podman can be used from another host",
            hint=f"install podman on {address.host}",
        )


@contextlib.asynccontextmanager
async def _remote_builder(node: Node) -> AsyncIterator[Endpoint]:
    """Give a builder of buildx for a BuildKit that has none; its configuration is private and goes with the block."""
    buildx = _buildx()
    with tempfile.TemporaryDirectory(prefix="qd-buildx-") as folder:
        environment = {"BUILDX_CONFIG": folder}
        files = {"cacert": node.tls.ca, "cert": node.tls.certificate, "key": node.tls.key, "servername": node.tls.server_name}
        options = [f"--driver-opt={name}={value}" for name, value in files.items() if value]
        words = [*buildx, "create", f"--name={_BUILDER}", "--driver=remote", *options, node.endpoint]
        await process.run_async(words, env=environment)
        yield Endpoint(environment=environment, builder=_BUILDER, local=False)


def _buildx() -> list[str]:
    alone = process.find("buildx") or process.find("docker-buildx")
    if alone is not None:
        return [alone]
    return [_need("docker", "its plugin buildx speaks to BuildKit"), "buildx"]


def _need(program: str, why: str) -> str:
    found = process.find(program)
    if found is None:
        raise HostError("program-missing", f"{program} is not installed here", reason=why, hint=f"install {program}")
    return found
