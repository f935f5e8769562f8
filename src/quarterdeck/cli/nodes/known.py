"""All nodes that commands know: those set up, and buildx's own builders, which are seen as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.build.nodes.builders import as_nodes, builders
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import Kind, Node
from quarterdeck.build.nodes.probe.run import probe_all
from quarterdeck.build.nodes.store import Nodes, NodeStore
from quarterdeck.cli.nodes.show import Known
from quarterdeck.errors import UsageError


def seen_builders(nodes: Nodes) -> tuple[Node, ...]:
    """Return buildx's builders that are no nodes yet, each node of a builder with several by itself."""
    kinds = (Kind.CONTAINER, Kind.BUILDX)
    taken = {(endpoint.name, endpoint.member) for node in nodes.nodes if node.kind in kinds and (endpoint := parse_endpoint(node.endpoint))}
    # Those that were made for BuildKit daemons are no nodes of their own.
    names = {name for node in nodes.nodes for name in (node.name, f"quarterdeck-{node.name}")}
    free = [builder for builder in builders() if builder.name not in names and (builder.name, "") not in taken]
    seen = [node for builder in free for node in as_nodes(builder) if node.name not in names]
    return tuple(node for node in seen if _names(node) not in taken)


def by_builder(names: Sequence[str], seen: Sequence[Node]) -> list[str]:
    """Return ``names``, each name of a builder with several nodes replaced by those of its nodes."""
    members: dict[str, list[str]] = {}
    for node in seen:
        builder, member = _names(node)
        if member:
            members.setdefault(builder, []).append(node.name)
    return [one for name in names for one in members.get(name, [name])]


def _names(node: Node) -> tuple[str, str]:
    endpoint = parse_endpoint(node.endpoint)
    return endpoint.name, endpoint.member


def known_nodes(names: Sequence[str], *, deadline: float) -> list[Known]:
    """Return the named nodes, or all, with their facts.

    Raises:
        UsageError: there is no node of a name.
        HostError: the file of nodes cannot be used.
    """
    nodes = NodeStore().load()
    seen = seen_builders(nodes)
    everything = {node.name: node for node in (*nodes.nodes, *seen)}
    names = by_builder(names, seen)
    for name in names:
        if name not in everything:
            raise UsageError(
                "no-such-node", f"there is no node {name!r}", hint=f"these are there: {', '.join(everything)}; 'qd nodes ls' shows all"
            )
    wanted = [everything[name] for name in dict.fromkeys(names)] if names else list(everything.values())
    found = asyncio.run(probe_all(wanted, deadline=deadline))
    return [(node, facts, node in nodes.active) for node, facts in zip(wanted, found, strict=True)]
