"""The way to a node's engines, and which of the engines that are found at its end really build there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts
from quarterdeck.build.nodes.reach.node import reach
from quarterdeck.build.run.private import PrivateEmulators, private_engines
from quarterdeck.errors import HostError

_BUILDER = "BUILDX_BUILDER"
_DEFAULT = "default"
_DOCKER = frozenset({EngineName.BUILDX, EngineName.DOCKER})


@dataclass(frozen=True)
class Way:
    """Where engines talk to a node. Programs of other engines here build on this host, so only ``engines`` count."""

    endpoint: Endpoint
    engines: frozenset[EngineName]


@asynccontextmanager
async def way_to(
    node: Node, facts: NodeFacts, *, preference: EngineName | None = None, private: PrivateEmulators | None = None
) -> AsyncIterator[Way]:
    """Have the way to ``node`` as long as the block; ``preference`` is the engine to use there if it has it.

    On this host ``private`` emulators lead into their namespace.

    Raises:
        HostError: the node has no engine, or only one that takes no builds from afar.
        QuarterdeckError: it cannot be reached.
    """
    engine = _engine(facts, preference or node.engine)
    if node.kind is Kind.LOCAL:
        yield _here(facts, private)
        return
    if engine is None:
        raise HostError("no-engine", f"node {node.name} has no engine", hint="install podman or docker there")
    async with reach(node, engine) as endpoint:
        if node.kind in (Kind.CONTAINER, Kind.BUILDX) or engine is EngineName.BUILDKIT:
            yield Way(endpoint, frozenset({EngineName.BUILDX}))
        elif engine in _DOCKER:
            yield Way(_with_own_builder(endpoint), _DOCKER)
        else:
            yield Way(endpoint, frozenset({engine}))


def _here(facts: NodeFacts, private: PrivateEmulators | None) -> Way:
    if private is not None:
        return Way(private.endpoint(), frozenset(private_engines(facts)))
    there = {engine.name for engine in facts.engines}
    return Way(_with_own_builder(Endpoint()), frozenset(there | _DOCKER if there & _DOCKER else there))


def _engine(facts: NodeFacts, preference: EngineName | None) -> EngineName | None:
    there = [engine.name for engine in facts.engines]
    return preference if preference in there else next(iter(there), None)


def _with_own_builder(endpoint: Endpoint) -> Endpoint:
    """The user's current builder may be anywhere; the one called default is the engine at this endpoint."""
    return replace(endpoint, environment={**endpoint.environment, _BUILDER: os.environ.get(_BUILDER, _DEFAULT)})
