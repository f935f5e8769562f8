"""All nodes that commands know: those set up, and buildx's own builders, which are seen as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.build.nodes.builders import as_node, builders
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import Kind, Node
from quarterdeck.build.nodes.probe.run import probe_all
from quarterdeck.build.nodes.store import Nodes, NodeStore
from quarterdeck.cli.nodes.show import Known
from quarterdeck.errors import UsageError


def seen_builders(nodes: Nodes) -> tuple[Node, ...]:
    """Return buildx's builders that are no nodes yet."""
    kinds = (Kind.CONTAINER, Kind.BUILDX)
    taken = {parse_endpoint(node.endpoint).name for node in nodes.nodes if node.kind in kinds}
    # Those that were made for BuildKit daemons are no nodes of their own.
    taken |= {name for node in nodes.nodes for name in (node.name, f"quarterdeck-{node.name}")}
    return tuple(as_node(builder) for builder in builders() if builder.name not in taken)


def known_nodes(names: Sequence[str], *, deadline: float) -> list[Known]:
    """Return the named nodes, or all, with their facts.

    Raises:
        UsageError: there is no node of a name.
        HostError: the file of nodes cannot be used.
    """
    nodes = NodeStore().load()
    everything = {node.name: node for node in (*nodes.nodes, *seen_builders(nodes))}
    for name in names:
        if name not in everything:
            raise UsageError(
                "no-such-node", f"there is no node {name!r}", hint=f"these are there: {', '.join(everything)}; 'qd nodes ls' shows all"
            )
    wanted = [everything[name] for name in dict.fromkeys(names)] if names else list(everything.values())
    found = asyncio.run(probe_all(wanted, deadline=deadline))
    return [(node, facts, node in nodes.active) for node, facts in zip(wanted, found, strict=True)]
