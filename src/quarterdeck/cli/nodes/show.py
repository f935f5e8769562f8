"""Nodes as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from quarterdeck.build.nodes.model import Node, NodeFacts, Runs
from quarterdeck.build.nodes.store import to_json
from quarterdeck.cli.output import results, say
from quarterdeck.cli.table import Cell, Column, print_columns, print_folded
from quarterdeck.core.report import Event, Message, StepStatus
from quarterdeck.core.size import format_size

Known = tuple[Node, NodeFacts, bool]
"""A node, what is known of it, and whether builds use it."""

_COLUMNS = (
    Column("NAME"),
    Column("KIND", 3),
    Column("ENDPOINT", 4),
    Column("STATE"),
    Column("NATIVE", 1),
    Column("EMULATED", 2),
    Column("SLOTS", 5),
)


def as_json(known: Known) -> dict[str, Any]:
    """Return a node with its facts as one JSON object."""
    node, facts, used = known
    return {**to_json(node), **facts.to_json(), "used": used, "fixed": [str(platform) for platform in node.platforms]}


def show_list(nodes: Sequence[Known]) -> None:
    """Print one line for each node, and below why some are down."""
    print_columns(_COLUMNS, [_row(*known) for known in nodes])
    problems: list[list[Cell]] = [[Text(facts.name, style="red"), problem(facts)] for _, facts, _ in nodes if not facts.healthy]
    if problems:
        results.print()
        print_folded(problems)


def problem(facts: NodeFacts) -> str:
    """Return what is wrong with a node and what to do, in a line."""
    return facts.problem + (f"; {facts.hint}" if facts.hint else "")


def _row(node: Node, facts: NodeFacts, used: bool) -> list[Cell]:
    name = Text(f"{node.name}*" if used else node.name)
    native, emulated = (", ".join(map(str, facts.having(runs))) or "-" for runs in Runs)
    return [name, node.kind.value, node.endpoint, _state(facts), native, emulated, str(facts.slots) if facts.healthy else "-"]


def _state(facts: NodeFacts) -> Text:
    return Text("ready", style="green") if facts.healthy else Text("down", style="red")


def show_node(known: Known) -> None:
    """Print all that is known of a node, and how it is known."""
    print_folded(list(_lines(*known)))


def _lines(node: Node, facts: NodeFacts, used: bool) -> Iterator[list[Cell]]:
    yield ["name", Text(node.name, style="bold")]
    yield ["endpoint", node.endpoint]
    yield ["used by builds", "yes" if used else "no"]
    yield ["state", _state(facts)]
    if not facts.healthy:
        yield ["why", facts.problem]
        if facts.hint:
            yield ["fix", Text(facts.hint, style="cyan")]
    else:
        yield from _healthy(node, facts)
    for note in facts.notes:
        yield ["note", Text(note, style="yellow")]
    yield ["answered in", f"{facts.seconds:.2f} s"]


def _healthy(node: Node, facts: NodeFacts) -> Iterator[list[Cell]]:
    for platform, runs in facts.platforms.items():
        yield [runs.value, f"{platform}: {facts.reasons[platform]}"]
    yield ["engines", ", ".join(f"{engine.name} {engine.version}".strip() for engine in facts.engines)]
    told = "as you set it" if node.slots else "one for each processor, as far as memory goes"
    yield ["slots", f"{facts.slots}, {told}"]
    yield ["memory", format_size(facts.memory) if facts.memory else "unknown"]
    yield ["weight", f"{facts.weight:g}"]


def tell_people(event: Event) -> None:
    """Print what is being done to a node, on stderr."""
    if isinstance(event, Message):
        say(event.text)
    elif event.status is StepStatus.RUNNING:
        say(event.detail)
