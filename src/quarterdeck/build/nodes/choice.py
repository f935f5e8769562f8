"""Which node builds which platform, and who takes over when one dies. Nothing is asked here: facts in, decision out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.platform import Platform

_UNMEASURED_SECONDS = 60.0
"""What a build is taken for that was never measured: beside measured ones the order of magnitude must be right, not more."""
_EMULATION = 10.0
"""How many times longer the unmeasured build takes under emulation; it only counts between nodes that all emulate."""

Seconds = Mapping[tuple[str, Platform], float]
"""Seconds of the last build of a platform on a node, by the node's name."""
_NOTHING: Seconds = MappingProxyType({})


class Emulation(StrEnum):
    """What is done with a platform that no node runs natively."""

    NEVER = "never"
    WARN = "warn"
    ALLOW = "allow"


@dataclass(frozen=True)
class Policy:
    """The user's will. ``cross`` are platforms of which the build runs no program, so that any node may build them."""

    emulation: Emulation = Emulation.WARN
    cross: frozenset[Platform] = frozenset()


@dataclass(frozen=True)
class Placement:
    """A platform on its node. ``runs`` is None when none of its programs run; ``others`` could take over, the best first."""

    platform: Platform
    node: str
    runs: Runs | None
    seconds: float
    reason: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """Where each platform is built; ``missing`` says why some cannot be, ``warnings`` what the policy wants to be said."""

    placements: Mapping[Platform, Placement]
    missing: Mapping[Platform, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def on(self, node: str) -> tuple[Platform, ...]:
        """Return what is built on a node."""
        return tuple(platform for platform, placement in self.placements.items() if placement.node == node)


@dataclass(frozen=True)
class Loss:
    """A node that died: what moved elsewhere, and what nobody else can build."""

    node: str
    problem: str
    moved: tuple[Placement, ...]
    lost: Mapping[Platform, str]

    def text(self) -> str:
        """Return the loss in one line."""
        moved = ", ".join(f"{one.platform} goes to {one.node}{_emulated(one)}" for one in self.moved)
        lost = ", ".join(f"{platform} cannot be built: {why}" for platform, why in self.lost.items())
        what = "; ".join(part for part in (moved, lost) if part) or "nothing was left to build there"
        return f"node {self.node} is lost ({self.problem}): {what}"


def _emulated(placement: Placement) -> str:
    return " (emulated)" if placement.runs is Runs.EMULATED else ""


def assign(
    platforms: Sequence[Platform], nodes: Sequence[NodeFacts], policy: Policy = Policy(), *, seconds: Seconds = _NOTHING
) -> Assignment:
    """Place each platform: native before cross before emulated always, then where it will be done first.

    Those that few nodes can build are placed first, so that they do not find their node taken.
    """
    return _Board(nodes, policy, seconds).place(platforms, Assignment({}))


def fail_over(
    assignment: Assignment,
    dead: str,
    nodes: Sequence[NodeFacts],
    *,
    problem: str,
    done: Collection[Platform] = (),
    policy: Policy = Policy(),
    seconds: Seconds = _NOTHING,
) -> tuple[Assignment, Loss]:
    """Move what a dead node has not ``done`` to the next best ones; every other placement stays as it is."""
    orphans = [platform for platform in assignment.on(dead) if platform not in done]
    kept = {platform: one for platform, one in assignment.placements.items() if platform not in orphans}
    living = [node for node in nodes if node.name != dead]
    board = _Board(living, policy, seconds)
    for platform, placement in kept.items():
        if platform not in done:
            board.take(placement)
    moved = board.place(orphans, Assignment(kept, assignment.missing, assignment.warnings))
    others = {name: replace(one, others=tuple(other for other in one.others if other != dead)) for name, one in moved.placements.items()}
    lost = {platform: moved.missing[platform] for platform in orphans if platform in moved.missing}
    loss = Loss(dead, problem, tuple(others[platform] for platform in orphans if platform in others), lost)
    return replace(moved, placements=others), loss


class _Board:
    """Who could do what, and how busy each node is."""

    def __init__(self, nodes: Sequence[NodeFacts], policy: Policy, seconds: Seconds) -> None:
        self._nodes = [node for node in nodes if node.healthy]
        self._down = [node for node in nodes if not node.healthy]
        self._policy = policy
        self._seconds = seconds
        self._busy = dict.fromkeys((node.name for node in self._nodes), 0.0)

    def take(self, placement: Placement) -> None:
        """Count a placement's seconds for its node."""
        if placement.node in self._busy:
            self._busy[placement.node] += placement.seconds

    def place(self, platforms: Sequence[Platform], before: Assignment) -> Assignment:
        """Return ``before`` with these platforms placed."""
        placed = dict(before.placements)
        missing = dict(before.missing)
        for platform in sorted(platforms, key=lambda one: len(self._best_rank(one))):
            ranked = self._ranked(platform)
            if not ranked:
                missing[platform] = self._why_not(platform)
                continue
            placed[platform] = self._placement(platform, ranked)
            self.take(placed[platform])
        order = {platform: placed[platform] for platform in (*before.placements, *platforms) if platform in placed}
        warnings = [self._warning(order[platform]) for platform in platforms if platform in order]
        return Assignment(order, missing, (*before.warnings, *filter(None, warnings)))

    def _ranked(self, platform: Platform) -> list[NodeFacts]:
        able = [node for node in self._nodes if self._rank(node, platform) is not None]
        return sorted(able, key=lambda node: (self._rank(node, platform), self._finish(node, platform)))

    def _best_rank(self, platform: Platform) -> list[NodeFacts]:
        """Return the nodes that share the best rank for a platform."""
        ranked = self._ranked(platform)
        return [node for node in ranked if self._rank(node, platform) == self._rank(ranked[0], platform)]

    def _rank(self, node: NodeFacts, platform: Platform) -> int | None:
        runs = node.platforms.get(platform)
        if runs is Runs.NATIVE:
            return 0
        if platform in self._policy.cross:
            return 1
        return 2 if runs is Runs.EMULATED and self._policy.emulation is not Emulation.NEVER else None

    def _finish(self, node: NodeFacts, platform: Platform) -> float:
        return self._busy[node.name] / node.slots + self._duration(node, platform)

    def _duration(self, node: NodeFacts, platform: Platform) -> float:
        measured = self._seconds.get((node.name, platform))
        if measured is not None:
            return measured
        factor = _EMULATION if self._runs(node, platform) is Runs.EMULATED else 1.0
        return _UNMEASURED_SECONDS * factor / node.weight

    def _runs(self, node: NodeFacts, platform: Platform) -> Runs | None:
        return None if self._rank(node, platform) == 1 else node.platforms.get(platform)

    def _placement(self, platform: Platform, ranked: list[NodeFacts]) -> Placement:
        best, *rest = ranked
        runs = self._runs(best, platform)
        equals = len(self._best_rank(platform))
        how = f"{best.name} runs {platform} natively" if runs is Runs.NATIVE else f"no node runs {platform} natively"
        if runs is None:
            how = f"the build runs no {platform} program, so {best.name} can make it"
        choice = f"; of {equals} such nodes it will be done there first" if equals > 1 else ""
        others = tuple(node.name for node in rest)
        return Placement(platform, best.name, runs, self._duration(best, platform), f"{how}{choice}", others)

    def _warning(self, placement: Placement) -> str:
        if placement.runs is not Runs.EMULATED or self._policy.emulation is not Emulation.WARN:
            return ""
        return f"{placement.platform} is emulated on {placement.node}: no node that is up runs it natively"

    def _why_not(self, platform: Platform) -> str:
        emulating = [node.name for node in self._nodes if platform in node.platforms]
        if emulating:
            return f"only emulation could run it ({', '.join(emulating)}), and that is not allowed"
        down = [node.name for node in self._down]
        return "no node runs it" + (f"; {', '.join(down)} cannot be reached" if down else "")
