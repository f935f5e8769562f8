"""Builders that ``docker buildx create`` made, as buildx keeps them: one JSON file each.

Source: store/nodegroup.go and util/confutil of buildx 0.38: ``$BUILDX_CONFIG``, else ``buildx`` in ``$DOCKER_CONFIG`` or ``~/.docker``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.build.nodes.endpoint import check_name
from quarterdeck.build.nodes.model import Kind, Node
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, UsageError

_LIMIT = 1 << 20


@dataclass(frozen=True)
class BuilderNode:
    """One node of a builder; ``endpoint`` is a Docker context, a Docker address, or a BuildKit address, by its builder's driver."""

    name: str
    endpoint: str
    platforms: tuple[Platform, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Builder:
    """A builder of buildx: ``driver`` is docker-container, remote, kubernetes..."""

    name: str
    driver: str
    nodes: tuple[BuilderNode, ...]


def buildx_folder() -> Path:
    """Return the folder in which buildx keeps its things."""
    if own := os.environ.get("BUILDX_CONFIG"):
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


def as_node(builder: Builder) -> Node:
    """Return a builder as a node, which is used as it is."""
    return Node(name=builder.name, kind=Kind.BUILDX, endpoint=f"buildx://{builder.name}")


def _read(file: Path) -> Builder | None:
    try:
        with file.open("rb") as stream:
            content = json.loads(stream.read(_LIMIT))
        return _builder(content)
    except (OSError, ValueError, RecursionError, UsageError, TypeError, KeyError, AttributeError):
        return None


def _builder(content: Any) -> Builder:
    nodes = tuple(_node(one) for one in content["Nodes"] or ())
    return Builder(check_name(content["Name"]), str(content["Driver"]), nodes)


def _node(content: Any) -> BuilderNode:
    options = content.get("DriverOpts") or {}
    return BuilderNode(
        str(content["Name"]),
        str(content.get("Endpoint", "")),
        tuple(Platform.normal(one["os"], one["architecture"], one.get("variant", "")) for one in content.get("Platforms") or ()),
        {str(key): str(value) for key, value in options.items()},
    )
