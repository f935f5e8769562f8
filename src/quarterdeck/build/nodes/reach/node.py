"""From a node to the endpoint that an engine builds at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.nodes.builders import apart
from quarterdeck.build.nodes.docker import DockerClient
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.lifecycle import ensure_builder
from quarterdeck.build.nodes.model import EngineName, Kind, Node
from quarterdeck.build.nodes.probe.run import ssh_address
from quarterdeck.build.nodes.reach.bridge import docker_socket, podman_socket
from quarterdeck.errors import HostError


@asynccontextmanager
async def reach(node: Node, engine: EngineName) -> AsyncIterator[Endpoint]:
    """Have the endpoint at which ``engine``, one of the node's facts, builds; what leads there lasts as long as the block.

    Raises:
        HostError: the engine takes no builds from afar, or a machine does not run.
        QuarterdeckError: the node cannot be reached.
    """
    endpoint = parse_endpoint(node.endpoint)
    match node.kind:
        case Kind.LOCAL:
            yield Endpoint()
        case Kind.DOCKER_CONTEXT:
            yield Endpoint(docker=DockerClient(context=endpoint.name).where(), local=False)
        case Kind.BUILDKIT if engine is EngineName.DOCKER:
            yield Endpoint(docker=DockerClient(host=endpoint.url, tls=node.tls).where(), local=False)
        case Kind.BUILDKIT:
            yield Endpoint(builder=await ensure_builder(node), local=False)
        case Kind.CONTAINER | Kind.BUILDX:
            with apart(endpoint) as variables:
                yield Endpoint(builder=endpoint.name, environment=variables, local=False)
        case Kind.SSH | Kind.MACHINE:
            async with _behind_ssh(node, engine) as behind:
                yield behind


@asynccontextmanager
async def _behind_ssh(node: Node, engine: EngineName) -> AsyncIterator[Endpoint]:
    address = ssh_address(node)
    match engine:
        case EngineName.DOCKER | EngineName.BUILDX:
            async with docker_socket(address) as socket:
                yield Endpoint(docker=("--host", f"unix://{socket}"), local=False)
        case EngineName.PODMAN:
            async with podman_socket(address) as socket:
                yield Endpoint(podman=("--url", f"unix://{socket}"), local=False)
        case _:
            hint = "install podman there, which is buildah with a door: apt install podman"
            raise HostError("engine-not-remote", f"{engine} on {node.name} takes no builds from afar", hint=hint)
