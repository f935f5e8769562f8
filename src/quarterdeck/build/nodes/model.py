"""What a node is (its configuration) and what was found out about it (its facts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from quarterdeck.build.platform import Platform


class Runs(StrEnum):
    """How a node runs programs of a platform. What it cannot run is not listed at all."""

    NATIVE = "native"
    EMULATED = "emulated"


class Kind(StrEnum):
    """What a node is, and so how it is reached."""

    LOCAL = "local"
    DOCKER_CONTEXT = "docker-context"
    SSH = "ssh"
    BUILDKIT = "buildkit"
    CONTAINER = "docker-container"
    MACHINE = "machine"
    BUILDX = "buildx"


class EngineName(StrEnum):
    """A program that builds images."""

    DOCKER = "docker"
    BUILDX = "buildx"
    BUILDKIT = "buildkit"
    BUILDAH = "buildah"
    PODMAN = "podman"


@dataclass(frozen=True)
class Tls:
    """Paths of the PEM files of a TLS connection, whose contents are never stored; ``server_name`` is what the certificate must say."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Node:
    """The configuration of a node.

    ``endpoint`` is a URL as in :func:`quarterdeck.build.nodes.endpoint.parse_endpoint`. ``platforms`` are those that the user fixed,
    empty to use all that were found. ``slots`` is how many builds may run at once, None for what its processors and memory allow.
    ``weight`` is how fast it is beside others of its sort. ``engine`` is the engine to use there, None for the best one.
    ``options`` go to the engine when a container builder is made (``image``, ``network``, ``context``...).
    """

    name: str
    kind: Kind
    endpoint: str
    platforms: tuple[Platform, ...] = ()
    slots: int | None = None
    weight: float = 1.0
    engine: EngineName | None = None
    tls: Tls = Tls()
    identity: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineFacts:
    """An engine that a node has; ``version`` is its own word, empty when it does not tell."""

    name: EngineName
    version: str


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What is known of a node now.

    ``platforms`` says how each platform runs there, ``reasons`` how that is known. ``slots`` is how many builds may run at once,
    ``memory`` its bytes (0: unknown), ``engines`` the best first. A node that is down is not ``healthy``: ``problem`` says why in one
    line and ``hint`` what to do. ``seconds`` is how long the answer took; ``notes`` are lines worth reading of a node that is healthy.
    """

    name: str
    kind: Kind = Kind.LOCAL
    platforms: Mapping[Platform, Runs] = field(default_factory=dict)
    reasons: Mapping[Platform, str] = field(default_factory=dict)
    slots: int = 1
    memory: int = 0
    weight: float = 1.0
    engines: tuple[EngineFacts, ...] = ()
    healthy: bool = True
    problem: str = ""
    hint: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def having(self, runs: Runs) -> tuple[Platform, ...]:
        """Return the platforms that run so here, in their order."""
        return tuple(platform for platform, how in self.platforms.items() if how is runs)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as a JSON object; platforms are ``{"linux/arm64": "emulated"}``."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "healthy": self.healthy,
            "problem": self.problem or None,
            "hint": self.hint or None,
            "platforms": {str(platform): runs.value for platform, runs in self.platforms.items()},
            "reasons": {str(platform): reason for platform, reason in self.reasons.items()},
            "slots": self.slots,
            "memory": self.memory,
            "weight": self.weight,
            "engines": [{"name": engine.name.value, "version": engine.version} for engine in self.engines],
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
        }
