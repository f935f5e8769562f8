"""``qd nodes ls`` and ``qd nodes inspect``."""

from __future__ import annotations

import typer

from quarterdeck.build.nodes.probe.run import DEADLINE
from quarterdeck.cli.nodes.known import known_nodes
from quarterdeck.cli.nodes.options import AnyNodes, Deadline, NodeNames
from quarterdeck.cli.nodes.show import as_json, show_list, show_node
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, results


def ls(names: AnyNodes = None, timeout: Deadline = DEADLINE, json: Json = False) -> None:
    """List the places where images are built: state, platforms that run there natively or emulated, how many builds fit at once.

    Each node is asked now; below the list stands why one is down. Builds use those with a star. SLOTS is how many builds may run there
    at once. Builders of docker buildx are listed too, each node of theirs by itself: 'qd nodes use' takes them as they are.
    """
    nodes = known_nodes(names or [], deadline=timeout)
    if json:
        print_json([as_json(known) for known in nodes])
    else:
        show_list(nodes)


def inspect(names: NodeNames, timeout: Deadline = DEADLINE, json: Json = False) -> None:
    """Show all that is known of nodes: each platform and how that was proved, engines, slots, memory, and what is odd.

    Exits with 1 when one of them is down.
    """
    nodes = known_nodes(names, deadline=timeout)
    if json:
        print_json([as_json(known) for known in nodes])
    else:
        for number, known in enumerate(nodes):
            if number:
                results.print()
            show_node(known)
    if not all(facts.healthy for _, facts, _ in nodes):
        raise typer.Exit(1)
