"""Arguments and options that the commands of ``qd nodes`` share."""

from __future__ import annotations

from typing import Annotated

import typer


def _complete_node(incomplete: str) -> list[str]:
    from quarterdeck.build.nodes.store import NodeStore
    from quarterdeck.errors import QuarterdeckError

    try:
        return [node.name for node in NodeStore().load().nodes if node.name.startswith(incomplete)]
    except QuarterdeckError:
        return []


NodeName = Annotated[str, typer.Argument(metavar="NAME", help="The node.", autocompletion=_complete_node)]
NodeNames = Annotated[list[str], typer.Argument(metavar="NAME", help="The nodes.", autocompletion=_complete_node)]
AnyNodes = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="The nodes.  [default: all]", autocompletion=_complete_node, show_default=False)
]
ChosenNodes = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="The nodes.", autocompletion=_complete_node, show_default=False)
]
Deadline = Annotated[float, typer.Option("--timeout", min=0.1, max=3600, metavar="SECONDS", help="How long each node may take to answer.")]
AcceptHostKey = Annotated[
    bool,
    typer.Option(
        "--accept-host-key",
        help="Trust an SSH host that is seen for the first time, and remember its key. A changed key is refused all the same.",
    ),
]
