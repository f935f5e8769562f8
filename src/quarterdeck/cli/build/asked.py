"""The nodes that a plan may choose from, with what is known of each now."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.build.nodes.classify import split
from quarterdeck.build.nodes.model import Kind, Node, NodeFacts
from quarterdeck.build.nodes.probe.local import probe_local
from quarterdeck.build.nodes.probe.run import DEADLINE, probe_all
from quarterdeck.build.nodes.store import NodeStore


async def facts_of(names: Sequence[str]) -> tuple[NodeFacts, ...]:
    """Return the facts of these nodes, or of those in use when none is named, asked all at once.

    This host without an engine is asked what it could build if it had one: a plan needs no engine.

    Raises:
        UsageError: there is no node of such a name.
        HostError: the file of nodes cannot be read.
    """
    known = NodeStore().load()
    nodes = tuple(known.get(name) for name in names) or known.active
    found = await probe_all(nodes)
    return tuple([await _without_engine(one) if _is_idle_host(node, one) else one for node, one in zip(nodes, found, strict=True)])


def _is_idle_host(node: Node, facts: NodeFacts) -> bool:
    return node.kind is Kind.LOCAL and not facts.healthy


async def _without_engine(facts: NodeFacts) -> NodeFacts:
    answer = await probe_local(timeout=DEADLINE)
    platforms, reasons = split(answer.found)
    return NodeFacts(name=facts.name, kind=facts.kind, platforms=platforms, reasons=reasons, notes=(f"{facts.name}: {facts.problem}",))
