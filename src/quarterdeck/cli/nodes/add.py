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
from quarterdeck.core.report import Level, Message, Reporter, silent
from quarterdeck.errors import QuarterdeckError, UsageError

_File = Path | None
_ENDPOINT_HELP = (
    "What it is: ssh://USER@HOST[:PORT], a host with Docker or podman; tcp://HOST:PORT or unix:///PATH, a BuildKit daemon; "
    "docker-container://NAME, BuildKit in a container, made for you; machine://NAME, a machine of 'qd run'; "
    "buildx://NAME, a builder of docker buildx, and buildx://NAME/NODE, one node of it; NAME alone, a Docker context."
)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you want to call it.")],
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help=_ENDPOINT_HELP)],
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", metavar="PLATFORM", help="Build only these there. Repeatable.  [default: all that it can]"),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine", metavar="NAME", help="Build with this there: docker, podman, buildkit, buildx or buildah.  [default: the best]"
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots",
            min=1,
            max=1024,
            metavar="N",
            help="How many builds may run there at once.  [default: what its processors and memory allow]",
        ),
    ] = None,
    weight: Annotated[
        float,
        typer.Option("--weight", min=0.01, max=1000, metavar="X", help="How fast it is beside others of its sort: 2 is twice as fast."),
    ] = 1.0,
    identity: Annotated[
        _File, typer.Option("--identity", "-i", metavar="FILE", exists=True, dir_okay=False, help="Private key to log in with by SSH.")
    ] = None,
    tls_ca: Annotated[
        _File,
        typer.Option("--tls-ca", metavar="FILE", exists=True, dir_okay=False, help="CA that the daemon's certificate was signed by, PEM."),
    ] = None,
    tls_cert: Annotated[
        _File, typer.Option("--tls-cert", metavar="FILE", exists=True, dir_okay=False, help="Certificate to show to the daemon, PEM.")
    ] = None,
    tls_key: Annotated[
        _File, typer.Option("--tls-key", metavar="FILE", exists=True, dir_okay=False, help="Private key of --tls-cert, PEM.")
    ] = None,
    tls_server_name: Annotated[
        str, typer.Option("--tls-server-name", metavar="NAME", help="Name in the daemon's certificate, if that is not HOST.")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="For docker-container://: image, network, context... Repeatable."),
    ] = None,
    use: Annotated[bool, typer.Option("--use", help="Let builds use this node and no other, until 'qd nodes use'.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Add it without asking it anything: it may be down.")] = False,
    accept_host_key: AcceptHostKey = False,
    timeout: Deadline = PATIENCE,
    json: Json = False,
) -> None:
    """Add a place where images are built, such as ssh://pi@192.0.2.7; make it ready, and show what it can do.

    Builds use it from then on, beside those in use. A node that cannot be made ready is not added. Keys and certificates stay where they
    are: only their paths are kept.
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
        raise UsageError("check-or-not", "--accept-host-key and --no-check exclude each other: a host key comes from a node that is asked")
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
    if not checked:
        return None
    try:
        return await bootstrap(node, accept_host_key=accept_host_key, deadline=deadline, report=report)
    except QuarterdeckError:
        report(Message(Level.WARNING, f"{node.name} is not added; with --no-check it is added as it is"))
        raise


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
        ("--tls-...", "tcp://HOST:PORT"): node.tls != Tls() and node.kind is not tls,
        ("--identity", "ssh://HOST and machine://NAME"): node.identity is not None and node.kind not in (Kind.SSH, Kind.MACHINE),
        ("--option", "docker-container://NAME"): bool(node.options) and node.kind is not Kind.CONTAINER,
    }
    for (name, meant), is_wrong in wrong.items():
        if is_wrong:
            hint = f"leave it out: it is for {meant}"
            raise UsageError("option-without-meaning", f"{name} means nothing for {node.endpoint}", hint=hint)
    if (node.tls.certificate is None) != (node.tls.key is None):
        raise UsageError("tls-half", "a certificate and its key go together", hint="give both --tls-cert and --tls-key")
