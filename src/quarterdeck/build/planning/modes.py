"""How one step runs on one node, and why."""

from __future__ import annotations

from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.cross import first_sign, sign_of
from quarterdeck.build.planning.estimate import estimate
from quarterdeck.build.planning.faster import faster_step
from quarterdeck.build.planning.history import History
from quarterdeck.build.planning.keys import step_key
from quarterdeck.build.planning.model import Mode, PlannedStage, PlannedStep
from quarterdeck.build.planning.script import script
from quarterdeck.build.planning.work import work_of
from quarterdeck.build.stages.model import Stage, StageGraph, StageStep, StepKind

_FREE = {
    StepKind.FILES: "the builder brings the files itself and runs nothing of the image",
    StepKind.SETTING: "changes only settings and runs nothing",
}


class StagePlanner:
    """Plans the stages of one graph on one node; ``node`` is None when no node can build it."""

    def __init__(self, graph: StageGraph, node: NodeFacts | None, history: History) -> None:
        self._graph = graph
        self._node = node
        self._history = history

    def plan(self, stage: Stage) -> PlannedStage:
        """Return the plan of one stage."""
        mode, reason = self._stage_mode(stage)
        return PlannedStage(
            index=stage.index,
            label=stage.label,
            base=self._base(stage),
            platform=stage.platform,
            span=stage.span,
            steps=tuple(self._step(stage, step, mode, reason) for step in stage.steps),
        )

    def _base(self, stage: Stage) -> str:
        base = self._graph.stage_below(stage)
        return base.label if base else str(stage.replaced or stage.base)

    def _stage_mode(self, stage: Stage) -> tuple[Mode, str]:
        """Return how the programs of a stage run, and why."""
        runs = self._node.platforms.get(stage.platform) if self._node else None
        if self._node is None:
            return Mode.IMPOSSIBLE, "no node is there to run anything"
        if runs is None:
            return Mode.IMPOSSIBLE, f"{self._node.name} cannot run {stage.platform} programs"
        name = self._node.name
        if runs is Runs.EMULATED:
            return Mode.EMULATED, f"{name} emulates {stage.platform}; {self._why_platform(stage)}"
        if stage.platform == self._graph.target_platform:
            return Mode.NATIVE, f"{name} runs {stage.platform} natively"
        return self._cross(stage, name)

    def _cross(self, stage: Stage, name: str) -> tuple[Mode, str]:
        target = self._graph.target_platform
        sign = first_sign(stage)
        if sign:
            return Mode.CROSS, f"{name} runs {stage.platform} natively, and the stage makes things for {target}: {sign}"
        user = next((user for user in self._graph.users(stage.index) if user.platform == target), None)
        if user is None:
            return Mode.NATIVE, f"{name} runs {stage.platform} natively"
        return Mode.CROSS, (
            f"{name} runs {stage.platform} natively; {user.label} takes its files for {target}, "
            "and nothing here names that platform, so they must be the same for every architecture"
        )

    def _why_platform(self, stage: Stage) -> str:
        if stage.explicit_platform:
            return f"--platform of FROM asks for {stage.platform}"
        return "its FROM has no --platform, so it is of the target platform"

    def _build_key(self, stage: Stage, step: StageStep) -> str:
        known = bool(self._history.seconds)
        return step_key(self._graph, stage, step, platform=self._graph.build_platform) if known else ""

    def _step(self, stage: Stage, step: StageStep, mode: Mode, reason: str) -> PlannedStep:
        if step.kind is not StepKind.RUN:
            return PlannedStep(step=step, mode=Mode.FREE, reason=_FREE[step.kind])
        work = work_of(script(step))
        key = step_key(self._graph, stage, step)
        emulated = mode is Mode.EMULATED
        sign = sign_of(step) if mode is Mode.CROSS else ""
        return PlannedStep(
            step=step,
            mode=mode,
            reason=f"{reason.partition(';')[0].partition(',')[0]}; {sign}" if sign else reason,
            faster=faster_step(script(step), stage.platform) if emulated else "",
            work=work,
            slowdown=work.slowdown if emulated else 1.0,
            key=key,
            estimate=estimate(self._history, key, mode, work=work, build_key=self._build_key(stage, step)),
        )
