"""The nodes that the user set up, in HOME/builds/nodes.json. Secrets are never stored: of TLS and SSH keys only the paths."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck.build.nodes.endpoint import check_name, parse_endpoint
from quarterdeck.build.nodes.model import EngineName, Kind, Node, Tls
from quarterdeck.build.platform import Platform
from quarterdeck.core import fs, paths
from quarterdeck.errors import HostError, UsageError

if TYPE_CHECKING:
    from quarterdeck.build.nodes.schema import NodeEntry, NodeFile

VERSION = 1
_LIMIT = 4 << 20
LOCAL = Node(name="local", kind=Kind.LOCAL, endpoint="local")
"""This host, which is always a node."""


@dataclass(frozen=True)
class Nodes:
    """All nodes, ``local`` first, and the names of those that builds use; empty: all of them."""

    nodes: tuple[Node, ...] = (LOCAL,)
    default: tuple[str, ...] = ()

    def find(self, name: str) -> Node | None:
        """Return the node of this name, None when there is none."""
        return next((node for node in self.nodes if node.name == name), None)

    def get(self, name: str) -> Node:
        """Return the node of this name.

        Raises:
            UsageError: there is none.
        """
        node = self.find(name)
        if node is None:
            known = ", ".join(node.name for node in self.nodes)
            raise UsageError("no-such-node", f"there is no node {name!r}", hint=f"these are there: {known}; 'qd nodes ls' shows all")
        return node

    @property
    def active(self) -> tuple[Node, ...]:
        """The nodes that builds use."""
        return tuple(node for node in self.nodes if not self.default or node.name in self.default)


class NodeStore:
    """The file of nodes. Whoever changes it holds its lock; whoever reads it sees the old or the new one."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.home() / "builds/nodes.json"

    def load(self) -> Nodes:
        """Return all nodes; only this host when nothing was set up.

        Raises:
            HostError: the file is damaged, cannot be read, or was written by a later version.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(_LIMIT + 1)
        except FileNotFoundError:
            return Nodes()
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None
        return self._parse(content)

    def check(self, node: Node) -> None:
        """See that a node could be added.

        Raises:
            UsageError: there is one of this name or with this endpoint.
            HostError: as :meth:`load`.
        """
        _check_new(node, self.load())

    def add(self, node: Node, *, use: bool = False) -> Nodes:
        """Add a node; with ``use`` it is the only one that builds use from now on.

        Raises:
            UsageError: there is one of this name or with this endpoint.
            HostError: as :meth:`load`.
        """

        def change(old: Nodes) -> Nodes:
            _check_new(node, old)
            default = (node.name,) if use else (*old.default, node.name) if old.default else ()
            return Nodes((*old.nodes, node), default)

        return self._change(change)

    def remove(self, name: str) -> Node:
        """Forget a node, and return what it was.

        Raises:
            UsageError: there is none of this name, or it is this host.
            HostError: as :meth:`load`.
        """
        if name == LOCAL.name:
            raise UsageError("node-is-this-host", "this host is always a node", hint="'qd nodes use' chooses others for builds")
        gone = self.load().get(name)

        def change(old: Nodes) -> Nodes:
            kept = tuple(node for node in old.nodes if node.name != old.get(name).name)
            return Nodes(kept, tuple(one for one in old.default if one != name))

        self._change(change)
        return gone

    def use(self, names: Sequence[str], *, new: Sequence[Node] = ()) -> Nodes:
        """Let builds use these nodes; all when there are none. ``new`` ones are added first; all is done or nothing.

        Raises:
            UsageError: there is none of such a name.
            HostError: as :meth:`load`.
        """

        def change(old: Nodes) -> Nodes:
            for node in new:
                _check_new(node, old)
                old = Nodes((*old.nodes, node), old.default)
            return replace(old, default=tuple(dict.fromkeys(old.get(name).name for name in names)))

        return self._change(change)

    def _change(self, change: Callable[[Nodes], Nodes]) -> Nodes:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with fs.locked(self.path.with_suffix(".lock")):
            new = change(self.load())
            fs.write_json(self.path, _to_file(new))
        return new

    def _parse(self, content: bytes) -> Nodes:
        from quarterdeck.build.nodes.schema import read_file

        if len(content) > _LIMIT:
            raise self._unusable(f"it has more than {_LIMIT} bytes")
        try:
            raw = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._unusable(f"it is no JSON: {error}") from None
        try:
            if isinstance(raw, dict) and isinstance(raw.get("version"), int) and raw["version"] > VERSION:
                raise self._unusable(f"a later version wrote it (its format is {raw['version']}, ours {VERSION})")
            return _from_file(read_file(raw))
        except ValueError as error:
            raise self._unusable(str(error)) from None
        except UsageError as error:
            raise self._unusable(f"{error.message}{': ' if error.reason else ''}{error.reason}") from None

    def _unusable(self, reason: str) -> HostError:
        hint = "mend the file, or move it away and add the nodes again"
        return HostError("nodes-unreadable", f"the nodes in {self.path} cannot be used", reason=reason, hint=hint)


def _check_new(node: Node, old: Nodes) -> None:
    if old.find(check_name(node.name)):
        here = node.name == LOCAL.name
        hint = "that is this host: choose another name" if here else f"choose another name, or remove it first: qd nodes rm {node.name}"
        raise UsageError("node-exists", f"there is a node {node.name!r} already", hint=hint)
    same = next((one for one in old.nodes if (one.endpoint, one.engine) == (node.endpoint, node.engine)), None)
    if same:
        raise UsageError("endpoint-exists", f"the node {same.name!r} has this endpoint already", reason=node.endpoint)


def _from_file(file: NodeFile) -> Nodes:
    nodes = [LOCAL]
    for one in file.nodes:
        node = _node(one)
        _check_new(node, Nodes(tuple(nodes)))
        nodes.append(node)
    found = Nodes(tuple(nodes))
    return replace(found, default=tuple(found.get(name).name for name in file.default))


def _node(one: NodeEntry) -> Node:
    endpoint = parse_endpoint(one.endpoint)
    return Node(
        name=check_name(one.name),
        kind=endpoint.kind,
        endpoint=endpoint.url,
        platforms=tuple(Platform.parse(text) for text in one.platforms),
        slots=one.slots,
        weight=one.weight,
        engine=None if one.engine is None else parse_engine(one.engine),
        tls=Tls(_path(one.tls.ca), _path(one.tls.certificate), _path(one.tls.key), one.tls.server_name),
        identity=_path(one.identity),
        options=one.options,
    )


def parse_engine(text: str) -> EngineName:
    """Return the engine of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return EngineName(text)
    except ValueError:
        known = ", ".join(EngineName)
        raise UsageError("unknown-engine", f"{text!r} is no engine", hint=f"engines are: {known}") from None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _to_file(nodes: Nodes) -> dict[str, Any]:
    return {"version": VERSION, "default": list(nodes.default), "nodes": [to_json(node) for node in nodes.nodes if node != LOCAL]}


def to_json(node: Node) -> dict[str, Any]:
    """Return the configuration of a node as it stands in the file, without what is as usual."""
    tls = {key: str(value) for key, value in vars(node.tls).items() if value}
    optional: dict[str, Any] = {
        "platforms": [str(platform) for platform in node.platforms],
        "slots": node.slots,
        "engine": node.engine.value if node.engine else None,
        "tls": tls,
        "identity": str(node.identity) if node.identity else None,
        "options": dict(node.options),
    }
    return {"name": node.name, "endpoint": node.endpoint, "weight": node.weight, **{key: value for key, value in optional.items() if value}}
