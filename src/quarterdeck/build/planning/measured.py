"""What a build measured, laid to the steps of its plan, so that the next plan can show it.

Engines name steps in their own ways. BuildKit counts the base image (not scratch, not another stage), RUN, COPY, ADD and WORKDIR, and
gives the stage's name (prefixCommand in convert.go of dockerfile2llb); buildah counts FROM and every instruction, and gives the
stage's number from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning.history import Sample
from quarterdeck.build.planning.model import Mode, PlannedStage, PlannedStep, PlatformPlan
from quarterdeck.build.planning.script import written
from quarterdeck.build.stages.model import FromStage, Scratch, StepKind


@dataclass(frozen=True)
class Timing:
    """One step as an engine reported it: its stage's name or number, its place there from 1, its text, and how many seconds it took."""

    stage: str
    number: int
    text: str
    seconds: float


def samples(plan: PlatformPlan, timings: Iterable[Timing], *, time: float) -> list[Sample]:
    """Return what to record of a build of this plan.

    Args:
        plan: what was built, on the node that it names.
        timings: the steps that ran; those that came from a cache must not be among them.
        time: seconds since the epoch.
    """
    found = []
    for timing in timings:
        step = find_step(plan, stage=timing.stage, number=timing.number, text=timing.text)
        if step is not None and step.key and step.mode is not Mode.IMPOSSIBLE:
            runs = Runs.EMULATED if step.mode is Mode.EMULATED else Runs.NATIVE
            found.append(Sample(step.key, runs, timing.seconds, time))
    return found


def find_step(plan: PlatformPlan, *, stage: str, number: int, text: str) -> PlannedStep | None:
    """Return the RUN that an engine means, None when it means something else or cannot be told."""
    if text[:4].upper() != "RUN ":
        return None
    for one in _stages(plan, stage):
        found = _in_stage(plan, one, number=number, text=text)
        if found is not None:
            return found
    return None


def _stages(plan: PlatformPlan, name: str) -> Sequence[PlannedStage]:
    """Return the stages that an engine may mean; engines give no name where there is one stage only."""
    if not name:
        return plan.stages if len(plan.stages) == 1 or len(plan.graph.stages) == 1 else ()
    by_name = [stage for stage in plan.stages if stage.label == name.lower()]
    return by_name or [stage for stage in plan.stages if name.isdecimal() and stage.index == int(name) - 1]


def _in_stage(plan: PlatformPlan, stage: PlannedStage, *, number: int, text: str) -> PlannedStep | None:
    wanted = " ".join(text.split())
    same = [step for step in stage.steps if step.work and wanted in (_words(step), _words(step, flags=True))]
    placed = [steps[number] for steps in (_buildkit(plan, stage), _buildah(stage)) if number in steps]
    both = [step for step in placed if step in same]
    return next(iter([*both, *same, *(step for step in placed[:1] if step.work)]), None)


def _words(step: PlannedStep, *, flags: bool = False) -> str:
    instruction = step.step.instruction
    words = [instruction.keyword, *(map(str, instruction.flags) if flags else ()), *written(step.step).split()]
    return " ".join(words)


def _buildkit(plan: PlatformPlan, stage: PlannedStage) -> dict[int, PlannedStep]:
    base = plan.graph.stages[stage.index].base
    first = 1 if isinstance(base, FromStage | Scratch) else 2
    counted = [step for step in stage.steps if step.step.kind in (StepKind.RUN, StepKind.FILES)]
    return dict(enumerate(counted, first))


def _buildah(stage: PlannedStage) -> dict[int, PlannedStep]:
    return dict(enumerate(stage.steps, 2))
