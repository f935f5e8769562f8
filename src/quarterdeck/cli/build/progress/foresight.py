"""What a plan knows beforehand of a build: which steps are emulated, and how many there will be."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from quarterdeck.build.engines.events import BuildStep
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning.measured import find_step
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import FromStage, Scratch, StepKind

if TYPE_CHECKING:
    from quarterdeck.build.planning.model import BuildPlan, PlannedStage, PlatformPlan

_COUNT_EVERYTHING = ("buildah", "podman")


class Foresight:
    """Answers from a plan, or from the words of engines where there is none."""

    def __init__(self, plan: BuildPlan | None = None) -> None:
        self._plans = {one.platform: one for one in plan.platforms} if plan is not None else {}

    def emulated(self, platform: Platform, step: BuildStep, runs: Runs | None) -> bool:
        """Return whether a step of a build for ``platform`` runs its programs by emulation.

        A stage of another platform does not, wherever it is: ``FROM --platform=$BUILDPLATFORM``.
        """
        if runs is not Runs.EMULATED or step.text[:4].upper() != "RUN ":
            return False
        if step.platform and step.platform != str(platform):
            return False
        plan = self._plans.get(platform)
        found = find_step(plan, stage=step.stage, number=step.number, text=step.text) if plan is not None else None
        if plan is None or found is None:
            return True
        return any(stage.platform == platform for stage, one in plan.steps if one is found)

    def unseen(self, platform: Platform, seen: Set[str], engine: str) -> int:
        """Return how many steps the stages have that the engine has not named yet; 0 when there is no plan."""
        plan = self._plans.get(platform)
        if plan is None:
            return 0
        everything = engine.lower().startswith(_COUNT_EVERYTHING)
        return sum(_steps(plan, stage, everything=everything) for stage in plan.stages if not _named(plan, stage, seen))


def _named(plan: PlatformPlan, stage: PlannedStage, seen: Set[str]) -> bool:
    """Return whether an engine means this stage: by name, by number from 1, or by nothing where there is only one."""
    return stage.label in seen or str(stage.index + 1) in seen or ("" in seen and len(plan.stages) == 1)


def _steps(plan: PlatformPlan, stage: PlannedStage, *, everything: bool) -> int:
    """Return how many steps engines count: buildah all, and FROM; BuildKit those that make a layer, and a base image."""
    if everything:
        return 1 + len(stage.steps)
    layers = sum(step.step.kind in (StepKind.RUN, StepKind.FILES) for step in stage.steps)
    return layers + (not isinstance(plan.graph.stages[stage.index].base, FromStage | Scratch))
