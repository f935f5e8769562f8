"""Which node builds which platform, and what the stages are when it does: the build platform is the node's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.nodes.choice import Assignment, Emulation, Policy, assign
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.history import History
from quarterdeck.build.planning.model import Mode, PlanOptions
from quarterdeck.build.planning.modes import StagePlanner
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.build.stages.resolve import resolve_stages

Resolver = Callable[[Platform, Platform], StageGraph]
"""Returns the stages for a target and a build platform."""


def resolver(dockerfile: Dockerfile, options: PlanOptions) -> Resolver:
    """Return a resolver that does each pair of platforms only once."""
    known: dict[tuple[Platform, Platform], StageGraph] = {}

    def resolve(target: Platform, build: Platform) -> StageGraph:
        if (target, build) not in known:
            known[target, build] = resolve_stages(
                dockerfile, target=target, build=build, arguments=options.arguments, stage=options.stage, contexts=options.contexts
            )
        return known[target, build]

    return resolve


def build_platform(node: NodeFacts | None) -> Platform:
    """Return what a node runs itself: the first of its native platforms; this host's where nobody knows."""
    native = node.having(Runs.NATIVE) if node else ()
    return native[0] if native else Platform.of_host()


def place(platforms: Sequence[Platform], nodes: Sequence[NodeFacts], *, resolve: Resolver, history: History) -> Assignment:
    """Return where each platform is built: native before cross before emulated, then where it is done first.

    Emulation is allowed here, whatever the policy is: a plan shows what would have to be emulated, and the policy judges it.
    """
    healthy = [node for node in nodes if node.healthy]
    cross = frozenset(platform for platform in platforms if _runs_nothing_of(platform, healthy, resolve))
    seconds = _seconds(platforms, healthy, resolve=resolve, history=history)
    return assign(platforms, nodes, Policy(Emulation.ALLOW, cross), seconds=seconds)


def _runs_nothing_of(platform: Platform, nodes: Sequence[NodeFacts], resolve: Resolver) -> bool:
    """Whether a build of ``platform`` on a node of another platform runs no program of ``platform``."""
    node = next((node for node in nodes if build_platform(node) != platform), None)
    if node is None:
        return False
    graph = resolve(platform, build_platform(node))
    return all(stage.platform != platform or not stage.runs for stage in graph.needed)


def _seconds(
    platforms: Sequence[Platform], nodes: Sequence[NodeFacts], *, resolve: Resolver, history: History
) -> Mapping[tuple[str, Platform], float]:
    """Return the estimated seconds of each platform on each node, where every RUN was measured before."""
    if not history.seconds:
        return {}
    found = {
        (node.name, platform): _whole(node, resolve(platform, build_platform(node)), history) for node in nodes for platform in platforms
    }
    return {key: seconds for key, seconds in found.items() if seconds is not None}


def _whole(node: NodeFacts, graph: StageGraph, history: History) -> float | None:
    planner = StagePlanner(graph, node, history)
    steps = [step for stage in graph.needed for step in planner.plan(stage).steps if step.mode is not Mode.FREE]
    if not steps or any(step.estimate is None for step in steps):
        return None
    return sum(step.estimate.seconds for step in steps if step.estimate) / node.weight
