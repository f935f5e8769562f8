"""The nodes of a build, each with what is known of it now."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.crew import Site
from quarterdeck.cli.build.asked import facts_of


async def sites_of(names: Sequence[str], *, wanted: Collection[Platform] | None = None) -> tuple[Site, ...]:
    """Return these nodes, or those in use when none is named; ``wanted`` platforms are those of which the facts have to be known.

    Raises:
        UsageError: there is no node of such a name.
        HostError: the file of nodes cannot be read.
    """
    known = NodeStore().load()
    nodes = tuple(known.get(name) for name in names) or known.active
    facts = await facts_of([node.name for node in nodes], wanted=wanted)
    return tuple(Site(node, one) for node, one in zip(nodes, facts, strict=True))
