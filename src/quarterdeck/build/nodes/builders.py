"""Builders that ``docker buildx create`` made, as buildx keeps them: one JSON file each.

Source: store/nodegroup.go and util/confutil of buildx 0.38: ``$BUILDX_CONFIG``, else ``buildx`` in ``$DOCKER_CONFIG`` or ``~/.docker``.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quarterdeck.build.nodes.endpoint import Endpoint, check_name
from quarterdeck.build.nodes.model import Kind, Node
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, UsageError

_LIMIT = 1 << 20
_CONFIG = "BUILDX_CONFIG"


@dataclass(frozen=True)
class BuilderNode:
    """One node of a builder; ``endpoint`` is a Docker context, a Docker address, or a BuildKit address, by its builder's driver."""

    name: str
    endpoint: str
    platforms: tuple[Platform, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Builder:
    """A builder of buildx: ``driver`` is docker-container, remote, kubernetes... ``content`` is its file, as buildx wrote it."""

    name: str
    driver: str
    nodes: tuple[BuilderNode, ...]
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def only(self, member: str) -> Builder:
        """Return it with one of its nodes alone, with all when ``member`` is empty.

        Raises:
            HostError: it has no such node.
        """
        if not member:
            return self
        nodes = tuple(node for node in self.nodes if node.name == member)
        if not nodes:
            names = ", ".join(node.name for node in self.nodes)
            raise HostError("no-such-builder", f"the builder '{self.name}' has no node '{member}'", hint=f"its nodes are: {names}")
        inside = [one for one in self.content.get("Nodes") or () if one.get("Name") == member]
        return replace(self, nodes=nodes, content={**self.content, "Nodes": inside})


def buildx_folder() -> Path:
    """Return the folder in which buildx keeps its things."""
    if own := os.environ.get(_CONFIG):
        return Path(own)
    docker = os.environ.get("DOCKER_CONFIG")
    return (Path(docker) if docker else Path.home() / ".docker") / "buildx"


def builders(folder: Path | None = None) -> tuple[Builder, ...]:
    """Return all builders by name; files that are damaged or not ours to read are left out."""
    place = (folder or buildx_folder()) / "instances"
    try:
        files = sorted(place.iterdir())
    except OSError:
        return ()
    found = (_read(file) for file in files)
    return tuple(builder for builder in found if builder is not None)


def find_builder(name: str, folder: Path | None = None) -> Builder:
    """Return the builder of this name.

    Raises:
        HostError: there is none.
    """
    builder = next((one for one in builders(folder) if one.name == name), None)
    if builder is None:
        hint = "'docker buildx ls' shows all; 'qd nodes bootstrap' makes one of ours"
        raise HostError("no-such-builder", f"buildx has no builder '{name}'", hint=hint)
    return builder


def builder_at(endpoint: Endpoint) -> Builder:
    """Return the builder that an endpoint means, with one of its nodes alone where it names one.

    Raises:
        HostError: there is none.
    """
    return find_builder(endpoint.name).only(endpoint.member)


def as_nodes(builder: Builder) -> tuple[Node, ...]:
    """Return a builder as nodes, which are used as they are: it is one itself, or else ``BUILDER.NODE`` is each of its several."""
    if len(builder.nodes) < 2:
        return (Node(name=builder.name, kind=Kind.BUILDX, endpoint=f"buildx://{builder.name}"),)
    names = [(node.name, f"{builder.name}.{node.name}") for node in builder.nodes]
    return tuple(Node(name=check_name(name), kind=Kind.BUILDX, endpoint=f"buildx://{builder.name}/{member}") for member, name in names)


@contextlib.contextmanager
def apart(endpoint: Endpoint) -> Iterator[dict[str, str]]:
    """Have the variables with which buildx sees of a builder only the node that ``endpoint`` names; none where it names the builder.

    buildx cannot be told which node of a builder is to build: it chooses itself. So as long as the block it is given a folder of its
    own, with a copy of the builder's file in which no other node stands. The container, pod or daemon, its cache and its options are
    those of the builder: buildx finds them by the name of the node (driver/manager.go, ``buildx_buildkit_NODE``).

    Raises:
        HostError: there is no such builder or node.
    """
    if not endpoint.member:
        yield {}
        return
    builder = builder_at(endpoint)
    with tempfile.TemporaryDirectory(prefix="qd-buildx-") as folder:
        place = Path(folder, "instances")
        place.mkdir()
        (place / builder.name).write_text(json.dumps(builder.content), encoding="utf-8")
        yield {_CONFIG: folder}


def _read(file: Path) -> Builder | None:
    try:
        with file.open("rb") as stream:
            content = json.loads(stream.read(_LIMIT))
        return _builder(content)
    except (OSError, ValueError, RecursionError, UsageError, TypeError, KeyError, AttributeError):
        return None


def _builder(content: Any) -> Builder:
    nodes = tuple(_node(one) for one in content["Nodes"] or ())
    builder = Builder(check_name(content["Name"]), str(content["Driver"]), nodes, content)
    as_nodes(builder)  # a name that no node may have
    return builder


def _node(content: Any) -> BuilderNode:
    options = content.get("DriverOpts") or {}
    return BuilderNode(
        str(content["Name"]),
        str(content.get("Endpoint", "")),
        tuple(Platform.normal(one["os"], one["architecture"], one.get("variant", "")) for one in content.get("Platforms") or ()),
        {str(key): str(value) for key, value in options.items()},
    )
