"""A plan: each platform on its node, each step with its mode, and what forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.nodes.choice import Assignment, Emulation
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.model import BuildPlan, Mode, PlanOptions, PlatformPlan
from quarterdeck.build.planning.modes import StagePlanner
from quarterdeck.build.planning.place import Resolver, build_platform, place, resolver
from quarterdeck.build.planning.problems import problems_of
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.undeclared import undeclared


def make_plan(
    dockerfile: Dockerfile, platforms: Sequence[Platform], nodes: Sequence[NodeFacts], options: PlanOptions | None = None
) -> BuildPlan:
    """Return how the images of all platforms are built.

    A plan that cannot be carried out, or that the policy forbids, is a plan too: its ``problems`` say why.

    Args:
        dockerfile: as parsed.
        platforms: the target platforms, in the order of the result.
        nodes: what is known of each node; those that are not healthy are left out, and named where they are missed.
        options: build arguments, policy, history.

    Raises:
        DockerfileError: the file makes no sense.
        UsageError: there is no such stage.
    """
    options = options or PlanOptions()
    resolve = resolver(dockerfile, options)
    placed = place(platforms, nodes, resolve=resolve, history=options.history)
    planner = _Planner(nodes, options, resolve, placed)
    plans = tuple(planner.plan(platform) for platform in platforms)
    return BuildPlan(
        name=dockerfile.name,
        emulation=options.emulation,
        platforms=plans,
        problems=tuple(
            problem for plan in plans for problem in problems_of(plan, options.emulation, placed.missing.get(plan.platform, ""))
        ),
        warnings=tuple(dict.fromkeys([*_of_the_file(dockerfile, options), *_warnings(plans, options.emulation)])),
    )


class _Planner:
    def __init__(self, nodes: Sequence[NodeFacts], options: PlanOptions, resolve: Resolver, placed: Assignment) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._options = options
        self._resolve = resolve
        self._placed = placed

    def plan(self, platform: Platform) -> PlatformPlan:
        """Return the plan of one platform."""
        placement = self._placed.placements.get(platform)
        # What no node builds is planned on the first that is up, so that only what is missing there is shown as impossible.
        node = self._nodes[placement.node] if placement else next((node for node in self._nodes.values() if node.healthy), None)
        graph = self._resolve(platform, build_platform(node))
        planner = StagePlanner(graph, node, self._options.history)
        stages = tuple(planner.plan(stage) for stage in graph.needed)
        emulated = any(stage.mode is Mode.EMULATED for stage in stages)
        return PlatformPlan(
            platform=platform,
            node=placement.node if placement else "",
            runs=placement.runs if placement else None,
            reason=placement.reason if placement else self._placed.missing[platform],
            faster=self._faster(platform) if emulated else "",
            others=placement.others if placement else (),
            graph=graph,
            stages=stages,
        )

    def _faster(self, platform: Platform) -> str:
        """Return what would take the emulation away: a node that is down, or one that is not there yet."""
        down = [node for node in self._nodes.values() if not node.healthy and node.platforms.get(platform) is Runs.NATIVE]
        if down:
            return f"{down[0].name} runs {platform} natively and is down: {down[0].problem}"
        return f"a node that runs {platform} natively: qd nodes add NAME ssh://HOST"


def _of_the_file(dockerfile: Dockerfile, options: PlanOptions) -> Iterator[str]:
    yield from (f"line {notice.line}: {notice.message}" for notice in dockerfile.notices)
    yield from undeclared(dockerfile, options.arguments)


def _warnings(plans: Sequence[PlatformPlan], emulation: Emulation) -> Iterator[str]:
    for plan in plans:
        yield from (f"line {remark.line}: {remark.text}" for remark in plan.graph.remarks)
    for plan in plans if emulation is Emulation.WARN else ():
        steps = [step for _, step in plan.steps if step.mode is Mode.EMULATED]
        if steps:
            count = "1 step is" if len(steps) == 1 else f"{len(steps)} steps are"
            yield f"{plan.platform}: {count} emulated on {plan.node}"
