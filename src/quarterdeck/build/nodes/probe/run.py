"""Probes of all nodes at once. A node that is down is a fact like others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence

from quarterdeck.build.nodes.builders import builder_at
from quarterdeck.build.nodes.docker import DockerClient
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.machine import machine_address
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts
from quarterdeck.build.nodes.probe.answer import Answer, facts
from quarterdeck.build.nodes.probe.builder import probe_builder
from quarterdeck.build.nodes.probe.engines import probe_buildkit, probe_docker
from quarterdeck.build.nodes.probe.local import probe_local
from quarterdeck.build.nodes.probe.remote import probe_ssh
from quarterdeck.build.nodes.ssh import SshAddress
from quarterdeck.build.platform import Platform
from quarterdeck.errors import DeadlineError, QuarterdeckError

DEADLINE = 20.0
"""Seconds that a node has to answer."""
PATIENCE = 60.0
"""Seconds that it has when it is made ready: the first login to a machine that is emulated and has just booted took 30."""


Wanted = Collection[Platform] | None
"""The platforms that a caller will ask the facts for, None for all: no time is spent on emulators of others."""


def patience(node: Node) -> float:
    """Return the seconds that a node has to answer: a machine of ours may be emulated, and what is gone there says so at once."""
    return PATIENCE if node.kind is Kind.MACHINE else DEADLINE


async def probe_all(nodes: Sequence[Node], *, deadline: float | None = None, wanted: Wanted = None) -> tuple[NodeFacts, ...]:
    """Return the facts of each node, in their order; None for ``deadline`` gives each the time that its sort needs."""
    return tuple(await asyncio.gather(*(probe(node, deadline=deadline or patience(node), wanted=wanted) for node in nodes)))


async def probe(node: Node, *, deadline: float = DEADLINE, wanted: Wanted = None) -> NodeFacts:
    """Return the facts of a node within ``deadline`` seconds; whatever is wrong with it is its ``problem``."""
    begin = time.monotonic()
    try:
        return await examine(node, deadline=deadline, wanted=wanted)
    except QuarterdeckError as error:
        problem = ": ".join(part for part in (error.message, error.reason.replace("\n", " ")) if part)
        return _down(node, problem, error.hint, time.monotonic() - begin)
    except OSError as error:
        return _down(node, error.strerror or str(error) or "it does not answer", "", time.monotonic() - begin)


async def examine(node: Node, *, deadline: float = DEADLINE, accept_host_key: bool = False, wanted: Wanted = None) -> NodeFacts:
    """Return the facts of a node.

    Raises:
        QuarterdeckError: it is down, has no engine, or is no node at all.
    """
    begin = time.monotonic()
    try:
        async with asyncio.timeout(deadline):
            answer = await _ask(node, deadline, accept_host_key=accept_host_key, wanted=wanted)
    except TimeoutError:
        raise _too_slow(node, deadline) from None
    return facts(node, answer, seconds=time.monotonic() - begin)


def _too_slow(node: Node, deadline: float) -> QuarterdeckError:
    return DeadlineError(
        "node-timeout", f"it did not answer within {deadline:g} s", reason=node.endpoint, hint="is it up? --timeout waits longer"
    )


async def _ask(node: Node, deadline: float, *, accept_host_key: bool, wanted: Wanted) -> Answer:
    endpoint = parse_endpoint(node.endpoint)
    match node.kind:
        case Kind.LOCAL:
            return await probe_local(timeout=deadline, wanted=None if wanted is None else {*wanted, *node.platforms})
        case Kind.DOCKER_CONTEXT:
            return await probe_docker(DockerClient(context=endpoint.name), timeout=deadline)
        case Kind.SSH | Kind.MACHINE:
            return await probe_ssh(ssh_address(node), timeout=deadline, accept_host_key=accept_host_key)
        case Kind.BUILDKIT if node.engine is EngineName.DOCKER:
            return await probe_docker(DockerClient(host=endpoint.url, tls=node.tls), timeout=deadline)
        case Kind.BUILDKIT:
            return await probe_buildkit(endpoint, node.tls)
        case Kind.CONTAINER | Kind.BUILDX:
            return await probe_builder(builder_at(endpoint), timeout=deadline)


def ssh_address(node: Node) -> SshAddress:
    """Return where to log in to a node of kind ``ssh`` or ``machine``.

    Raises:
        HostError: the machine does not run.
        TargetError: its port 22 is not led to this host.
    """
    endpoint = parse_endpoint(node.endpoint)
    if node.kind is Kind.MACHINE:
        return machine_address(endpoint.name, identity=node.identity)
    return SshAddress(endpoint.host, user=endpoint.user, port=endpoint.port, identity=node.identity)


def _down(node: Node, problem: str, hint: str, seconds: float) -> NodeFacts:
    return NodeFacts(name=node.name, kind=node.kind, healthy=False, problem=problem, hint=hint, seconds=seconds, weight=node.weight)
