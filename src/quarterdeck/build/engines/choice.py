"""Which engine builds: the first that can do all that is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quarterdeck.build.engines.capability import Capability
from quarterdeck.build.engines.engine import Engine
from quarterdeck.build.engines.needs import Needs, understood
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.errors import HostError, TargetError

# BuildKit first: it is what Dockerfiles are written for.
_ORDER = (EngineName.BUILDX, EngineName.DOCKER, EngineName.BUILDAH, EngineName.PODMAN)


@dataclass(frozen=True)
class Choice:
    """The engine that builds, and one line that says why this one."""

    engine: Engine
    reason: str


def lacking(engine: Engine, needs: Needs) -> dict[Capability, str]:
    """Return what is needed and ``engine`` has not, with the place that needs it; in the order of the places."""
    have = understood(engine.capabilities, needs.syntax)
    return {capability: place for capability, place in needs.where.items() if capability not in have}


def choose_engine(engines: Sequence[Engine], needs: Needs, *, preference: EngineName | None = None) -> Choice:
    """Return the engine to build with: the preferred one if it can, else the first that can in the order buildx, docker, buildah, podman.

    Raises:
        HostError: there is no engine.
        TargetError: none can do all that is needed; its reason names what each lacks, and where that is needed.
    """
    if not engines:
        raise HostError("no-engine", "no engine can build images here", hint="install buildah, or docker with its buildx plugin")
    ranked = sorted(
        engines, key=lambda engine: (engine.name is not preference, _ORDER.index(engine.name) if engine.name in _ORDER else len(_ORDER))
    )
    for engine in ranked:
        if not lacking(engine, needs):
            return Choice(engine, _reason(engine, ranked[0], needs, preference))
    raise TargetError(
        "engines-lack",
        "no engine here can build this Dockerfile with these flags",
        reason="\n".join(f"{title(engine)} lacks {_words(lacking(engine, needs))}" for engine in ranked),
        hint="build on a node with a newer engine (qd nodes add), or write it without these",
    )


def title(engine: Engine) -> str:
    """Return an engine as people name it: ``buildah 1.28.2``."""
    return f"{engine.name.value} {engine.version}".strip()


def _reason(engine: Engine, first: Engine, needs: Needs, preference: EngineName | None) -> str:
    if engine is not first:
        return f"{title(first)} lacks {_words(lacking(first, needs))}"
    return "it is asked for" if engine.name is preference else "it can do all that is needed"


def _words(lacked: dict[Capability, str]) -> str:
    return ", ".join(
        capability.value if place == capability.value else f"{capability.value} ({place})" for capability, place in lacked.items()
    )
