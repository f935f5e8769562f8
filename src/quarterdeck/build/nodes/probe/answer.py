"""What a probe brings back, and how facts are made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarterdeck.build.nodes.classify import Findings, fixed, split
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Node, NodeFacts
from quarterdeck.errors import HostError

_BUILD_MEMORY = 1 << 30
"""Bytes that a build is expected to need: compilers of C++ take about one GiB for each processor."""
_UNKNOWN_CPUS = 2


@dataclass(frozen=True)
class Answer:
    """``cpus`` and ``memory`` (bytes) are 0 where they are unknown; ``asked`` is false where nobody could be asked for platforms."""

    found: Findings
    engines: tuple[EngineFacts, ...]
    cpus: int = 0
    memory: int = 0
    notes: tuple[str, ...] = ()
    asked: bool = field(default=True)


def facts(node: Node, answer: Answer, *, seconds: float) -> NodeFacts:
    """Return the facts of a node that answered.

    Raises:
        HostError: it has no engine, or not the one that the user wants there.
    """
    found, notes = fixed(answer.found, node.platforms, asked=answer.asked)
    platforms, reasons = split(found)
    return NodeFacts(
        name=node.name,
        kind=node.kind,
        platforms=platforms,
        reasons=reasons,
        slots=node.slots or slots(answer.cpus, answer.memory),
        memory=answer.memory,
        weight=node.weight,
        engines=_engines(node, answer.engines),
        seconds=seconds,
        notes=(*answer.notes, *notes),
    )


def slots(cpus: int, memory: int) -> int:
    """Return how many builds may run at once: one for each processor, as far as memory goes."""
    count = cpus or _UNKNOWN_CPUS
    return max(1, min(count, memory // _BUILD_MEMORY) if memory else count)


def _engines(node: Node, engines: tuple[EngineFacts, ...]) -> tuple[EngineFacts, ...]:
    if node.engine is None:
        if not engines:
            raise HostError("node-without-engine", "it has no engine that builds images", hint=install_hint())
        return engines
    wanted = tuple(engine for engine in engines if engine.name is node.engine)
    if not wanted:
        there = ", ".join(engine.name for engine in engines) or "none"
        raise HostError(
            "node-without-engine", f"it has no {node.engine}", reason=f"engines that it has: {there}", hint=install_hint(node.engine)
        )
    return wanted


def install_hint(engine: EngineName = EngineName.PODMAN) -> str:
    """Return how an engine is installed; podman where any would do, since it also takes builds from afar."""
    packages = {EngineName.DOCKER: "docker.io", EngineName.BUILDX: "docker-buildx", EngineName.BUILDKIT: "docker.io"}
    return f"install one there, on Debian: apt install {packages.get(engine, engine.value)}"
