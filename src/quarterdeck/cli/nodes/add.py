"""``qd nodes add``: a node by name and endpoint."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.build.nodes.endpoint import check_name, parse_endpoint
from quarterdeck.build.nodes.lifecycle import bootstrap, check_new
from quarterdeck.build.nodes.model import Kind, Node, NodeFacts, Tls
from quarterdeck.build.nodes.probe.run import PATIENCE
from quarterdeck.build.nodes.store import NodeStore, parse_engine
from quarterdeck.build.platform import parse_platforms
from quarterdeck.cli.nodes.options import AcceptHostKey, Deadline
from quarterdeck.cli.nodes.show import as_json, show_list, tell_people
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.core.report import Reporter, silent
from quarterdeck.errors import UsageError

_File = Path | None
_ENDPOINT_HELP = (
    "Where it is: a Docker context's name, ssh://USER@HOST[:PORT], tcp://HOST:PORT or unix:///PATH of BuildKit, "
    "docker-container://NAME (made for you), machine://NAME, buildx://NAME."
)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help=_ENDPOINT_HELP)],
    platform: Annotated[list[str] | None, typer.Option("--platform", metavar="PLATFORM", help="Use it for these only. Repeatable.")] = None,
    engine: Annotated[str | None, typer.Option("--engine", metavar="NAME", help="Use this engine there: docker, buildah...")] = None,
    slots: Annotated[int | None, typer.Option("--slots", min=1, max=1024, metavar="N", help="How many builds may run at once.")] = None,
    weight: Annotated[float, typer.Option("--weight", min=0.01, max=1000, metavar="X", help="How fast it is beside others.")] = 1.0,
    identity: Annotated[_File, typer.Option("--identity", "-i", metavar="FILE", exists=True, dir_okay=False, help="SSH key.")] = None,
    tls_ca: Annotated[_File, typer.Option("--tls-ca", metavar="FILE", exists=True, dir_okay=False, help="CA of the daemon.")] = None,
    tls_cert: Annotated[_File, typer.Option("--tls-cert", metavar="FILE", exists=True, dir_okay=False, help="Our certificate.")] = None,
    tls_key: Annotated[_File, typer.Option("--tls-key", metavar="FILE", exists=True, dir_okay=False, help="Its key.")] = None,
    tls_server_name: Annotated[str, typer.Option("--tls-server-name", metavar="NAME", help="Name in the daemon's certificate.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="For docker-container: image, network, context... Repeatable."),
    ] = None,
    use: Annotated[bool, typer.Option("--use", help="Let builds use this node and no other.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Write it down without a look at it.")] = False,
    accept_host_key: AcceptHostKey = False,
    timeout: Deadline = PATIENCE,
    json: Json = False,
) -> None:
    """Add a node that builds images, make it ready, and show what it can do.

    A container builder is created and started. Keys and certificates stay where they are: only their paths are written down.
    A node that cannot be made ready is not added.
    """
    place = parse_endpoint(endpoint)
    node = Node(
        name=check_name(name),
        kind=place.kind,
        endpoint=place.url,
        platforms=parse_platforms(platform) if platform else (),
        slots=slots,
        weight=weight,
        engine=parse_engine(engine) if engine else None,
        tls=Tls(_absolute(tls_ca), _absolute(tls_cert), _absolute(tls_key), tls_server_name),
        identity=_absolute(identity),
        options=_options(option or []),
    )
    _check(node)
    if no_check and accept_host_key:
        raise UsageError("check-or-not", "--accept-host-key needs the look at the node that --no-check leaves out")
    store = NodeStore()
    store.check(node)
    tell = silent if json else tell_people
    facts = asyncio.run(_ready(node, checked=not no_check, accept_host_key=accept_host_key, deadline=timeout, report=tell))
    nodes = store.add(node, use=use)
    if facts is not None:
        known = (node, facts, node in nodes.active)
        print_json(as_json(known)) if json else show_list([known])
    elif not json:
        say(f"{node.name} is added; 'qd nodes ls' looks at it")


async def _ready(node: Node, *, checked: bool, accept_host_key: bool, deadline: float, report: Reporter) -> NodeFacts | None:
    await check_new(node)
    return await bootstrap(node, accept_host_key=accept_host_key, deadline=deadline, report=report) if checked else None


def _absolute(path: Path | None) -> Path | None:
    return path and path.absolute()


def _options(words: list[str]) -> dict[str, str]:
    options = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator or not key.strip():
            raise UsageError("invalid-option", f"'{word}' is no option", hint="write KEY=VALUE, such as image=moby/buildkit:rootless")
        options[key.strip()] = value
    return options


def _check(node: Node) -> None:
    """Refuse what would have no meaning for this kind of node."""
    tls = Kind.BUILDKIT if node.endpoint.startswith("tcp://") else None
    wrong = {
        "--tls-...": node.tls != Tls() and node.kind is not tls,
        "--identity": node.identity is not None and node.kind not in (Kind.SSH, Kind.MACHINE),
        "--option": bool(node.options) and node.kind is not Kind.CONTAINER,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise UsageError("option-without-meaning", f"{name} means nothing for {node.endpoint}")
    if (node.tls.certificate is None) != (node.tls.key is None):
        raise UsageError("tls-half", "a certificate and its key go together", hint="give both --tls-cert and --tls-key")
