"""The nodes that a plan may choose from, with what is known of each now."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quarterdeck.build.nodes.classify import split
from quarterdeck.build.nodes.model import Kind, NodeFacts
from quarterdeck.build.nodes.probe.local import probe_local
from quarterdeck.build.nodes.probe.run import DEADLINE, probe_all
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform


async def facts_of(names: Sequence[str], *, wanted: Collection[Platform] | None = None) -> tuple[NodeFacts, ...]:
    """Return the facts of these nodes, or of those in use when none is named, asked all at once.

    Where ``wanted`` platforms are named, emulators of others are not tried on this host.
    Where no node is up, this host is taken as if it had an engine, with a note: a plan needs none.

    Raises:
        UsageError: there is no node of such a name.
        HostError: the file of nodes cannot be read.
    """
    known = NodeStore().load()
    nodes = tuple(known.get(name) for name in names) or known.active
    found = await probe_all(nodes, wanted=wanted)
    if any(facts.healthy for facts in found):
        return found
    return tuple([await _as_if(facts, wanted) if node.kind is Kind.LOCAL else facts for node, facts in zip(nodes, found, strict=True)])


async def _as_if(facts: NodeFacts, wanted: Collection[Platform] | None) -> NodeFacts:
    answer = await probe_local(timeout=DEADLINE, wanted=wanted)
    platforms, reasons = split(answer.found)
    note = f"{facts.name} is planned as if it could build: {facts.problem}"
    return NodeFacts(name=facts.name, kind=facts.kind, platforms=platforms, reasons=reasons, notes=(note,))
