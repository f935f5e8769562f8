"""What a failed build says of its node: nothing, that the engine there went away for a while, or that the node is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from quarterdeck.build.engines.causes import tells_of_lost_engine
from quarterdeck.build.engines.failure import BuildFailedError
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts
from quarterdeck.build.nodes.probe.run import patience, probe
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import ProcessError
from quarterdeck.errors import QuarterdeckError

_SECONDS = 15.0
"""How long an engine may take to come back: systemd starts dockerd again after 2."""
_PAUSE = 1.0
# Docker builds by buildx where its client has that, and buildx is the client of BuildKit.
_MEANT = {EngineName.DOCKER: (EngineName.DOCKER, EngineName.BUILDX), EngineName.BUILDKIT: (EngineName.BUILDX,)}


class Verdict(Enum):
    """Whose failure it was, and what follows."""

    BUILD = "the build's own: nobody else would do better"
    AGAIN = "the engine's, which is back: the node may try once more"
    LOST = "the node's: others have to do its work"


@dataclass(frozen=True)
class Finding:
    """A verdict; ``facts`` are those of the node now, None where it was not asked, and ``problem`` is why it is lost."""

    verdict: Verdict
    facts: NodeFacts | None = None
    problem: str = ""


def meant(engine: EngineName) -> tuple[EngineName, ...]:
    """Return the engines that build for whoever names ``engine``."""
    return _MEANT.get(engine, (engine,))


async def examine(
    node: Node, error: QuarterdeckError, *, platforms: Collection[Platform], engine: EngineName | None, tried_again: bool
) -> Finding:
    """Find out what is behind the failure of a build on ``node``.

    Args:
        node: where it failed.
        error: the failure.
        platforms: what is being built; emulators of others are not tried.
        engine: the one that must build, None for any.
        tried_again: whether the node has had its second chance.
    """
    if not _engine_went(error):
        # This host is there as long as we are.
        facts = None if node.kind is Kind.LOCAL else await probe(node, deadline=patience(node), wanted=platforms)
        return Finding(Verdict.BUILD, facts) if facts is None or facts.healthy else _lost(facts, error)
    facts = await _until_back(node, error, platforms)
    if not facts.healthy:
        return _lost(facts, error)
    if engine is not None and not any(one.name in meant(engine) for one in facts.engines):
        return Finding(Verdict.LOST, facts, f"{engine.value} went away and does not come back")
    if tried_again:
        return Finding(Verdict.LOST, facts, "its engine went away twice")
    return Finding(Verdict.AGAIN, facts)


def _engine_went(error: QuarterdeckError) -> bool:
    if isinstance(error, BuildFailedError):
        return error.engine_lost
    # What comes after the build: the image is fetched from the engine.
    return isinstance(error, ProcessError) and tells_of_lost_engine(error.reason)


async def _until_back(node: Node, error: QuarterdeckError, platforms: Collection[Platform]) -> NodeFacts:
    """Ask the node until the engine that went away is back, for a while; it may have others meanwhile."""
    went = error.evidence.engine if isinstance(error, BuildFailedError) else None
    deadline = time.monotonic() + _SECONDS
    while True:
        facts = await probe(node, deadline=patience(node), wanted=platforms)
        there = {one.name for one in facts.engines}
        if (facts.healthy and (went is None or went in there)) or time.monotonic() >= deadline:
            return facts
        await asyncio.sleep(_PAUSE)


def _lost(facts: NodeFacts, error: QuarterdeckError) -> Finding:
    return Finding(Verdict.LOST, facts, facts.problem or error.message)
