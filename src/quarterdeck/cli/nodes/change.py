"""``qd nodes bootstrap``, ``use`` and ``rm``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from quarterdeck.build.nodes.lifecycle import bootstrap as make_ready
from quarterdeck.build.nodes.lifecycle import remove
from quarterdeck.build.nodes.probe.run import PATIENCE
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.cli.each import each
from quarterdeck.cli.nodes.known import by_builder, seen_builders
from quarterdeck.cli.nodes.options import AcceptHostKey, ChosenNodes, Deadline, NodeNames
from quarterdeck.cli.nodes.show import Known, as_json, show_list, tell_people
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, results
from quarterdeck.core.report import silent
from quarterdeck.errors import UsageError


def bootstrap(names: NodeNames, accept_host_key: AcceptHostKey = False, timeout: Deadline = PATIENCE, json: Json = False) -> None:
    """Make nodes ready again: start their builders, see that they answer and have an engine, and show what they can do.

    'qd nodes add' does this for a new one.
    """
    nodes = NodeStore().load()
    chosen = [nodes.get(name) for name in dict.fromkeys(names)]
    known: list[Known] = []
    for node in chosen:
        tell = silent if json else tell_people
        facts = asyncio.run(make_ready(node, accept_host_key=accept_host_key, deadline=timeout, report=tell))
        known.append((node, facts, node in nodes.active))
    print_json([as_json(one) for one in known]) if json else show_list(known)


def use(
    names: ChosenNodes = None,
    everything: Annotated[bool, typer.Option("--all", help="Use all nodes.")] = False,
) -> None:
    """Choose the nodes that builds use from now on, and print them.

    Nothing is lost: the others stay in the list, and a single build takes them with 'qd build --nodes NAME'. This host is called
    'local'. A builder of docker buildx that 'qd nodes ls' shows becomes a node by its name, or all of its nodes do.
    """
    if bool(names) == everything:
        raise UsageError("nodes-or-all", "name the nodes to use, or give --all", hint="'qd nodes ls' shows all; a star marks those in use")
    store = NodeStore()
    seen = seen_builders(store.load())
    wanted = by_builder(names or [], seen)
    new = [node for node in seen if node.name in wanted]
    for node in store.use(wanted, new=new).active:
        results.print(node.name, markup=False)


def rm(
    names: NodeNames,
    keep_builder: Annotated[bool, typer.Option("--keep-builder", help="Leave container builders and their caches.")] = False,
) -> None:
    """Take nodes out of the list. A container builder that was made for one is deleted, with its cache; nothing else is touched there."""
    store = NodeStore()

    def forget(name: str) -> None:
        asyncio.run(remove(store, name, keep_builder=keep_builder))

    each(names, forget)
