"""The values that a plan consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from quarterdeck.build.dockerfile.model import Span
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning.history import History
from quarterdeck.build.planning.work import Work
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import StageGraph, StageStep


class Mode(StrEnum):
    """How a step runs; the worst last."""

    FREE = "free"
    """Runs no program of the image: the builder does it itself."""
    NATIVE = "native"
    CROSS = "cross"
    """Runs natively, in a stage that makes something for another platform."""
    EMULATED = "emulated"
    IMPOSSIBLE = "impossible"
    """The node cannot run programs of that platform at all."""


_ORDER = tuple(Mode)


def worst(modes: Iterator[Mode] | Sequence[Mode]) -> Mode:
    """Return the worst of several modes, FREE when there is none."""
    return max(modes, key=_ORDER.index, default=Mode.FREE)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a plan is made for.

    ``arguments`` are build arguments, ``stage`` the wanted stage (None: the last), ``contexts`` named build contexts, ``history``
    what earlier builds took.
    """

    arguments: Mapping[str, str] = field(default_factory=dict)
    stage: str | None = None
    contexts: Mapping[str, str] = field(default_factory=dict)
    emulation: Emulation = Emulation.WARN
    history: History = field(default_factory=History)


@dataclass(frozen=True)
class Estimate:
    """Seconds that a step will take: ``measured`` in earlier builds, else derived from how long it took natively."""

    seconds: float
    measured: bool

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object."""
        return {"seconds": round(self.seconds, 1), "measured": self.measured}


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One instruction: how it runs, why, and what would make it faster (empty: nothing that we know).

    ``work`` is the sort of work of a RUN, None of others; ``slowdown`` how many times longer than natively it takes, 1 where it does not.
    ``key`` is that of the history, empty where nothing is measured.
    """

    step: StageStep
    mode: Mode
    reason: str
    faster: str = ""
    work: Work | None = None
    slowdown: float = 1.0
    key: str = ""
    estimate: Estimate | None = None

    @property
    def span(self) -> Span:
        """The lines of the instruction."""
        return self.step.instruction.span

    def to_json(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        instruction = self.step.instruction
        return {
            "instruction": instruction.keyword,
            "text": self.step.text,
            "lines": [instruction.span.first, instruction.span.last],
            "on_build": self.step.trigger,
            "mode": self.mode.value,
            "reason": self.reason,
            "faster": self.faster or None,
            "work": self.work.value if self.work else None,
            "slowdown": self.slowdown,
            "estimate": self.estimate.to_json() if self.estimate else None,
            "key": self.key or None,
        }


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """One stage that is needed: ``base`` in words, ``label`` as people call it, the platform of its programs."""

    index: int
    label: str
    base: str
    platform: Platform
    span: Span
    steps: tuple[PlannedStep, ...]

    @property
    def mode(self) -> Mode:
        """The worst mode of its steps."""
        return worst([step.mode for step in self.steps])

    def to_json(self) -> dict[str, Any]:
        """Return the stage as a JSON object."""
        return {
            "index": self.index,
            "name": self.label,
            "base": self.base,
            "platform": str(self.platform),
            "mode": self.mode.value,
            "lines": [self.span.first, self.span.last],
            "steps": [step.to_json() for step in self.steps],
        }


@dataclass(frozen=True, kw_only=True)
class PlatformPlan:
    """How the image of one platform is built.

    ``node`` is empty when none can build it, and ``runs`` None when the build runs none of the platform's programs there. ``reason``
    says why that node, ``faster`` what would make the whole faster, ``others`` which nodes could take over, the best first.
    """

    platform: Platform
    node: str
    runs: Runs | None
    reason: str
    faster: str
    others: tuple[str, ...]
    graph: StageGraph
    stages: tuple[PlannedStage, ...]

    @property
    def mode(self) -> Mode:
        """The worst mode of its stages; FREE when the build runs nothing of the image."""
        return worst([stage.mode for stage in self.stages])

    @property
    def steps(self) -> Iterator[tuple[PlannedStage, PlannedStep]]:
        """All steps with their stages, in the order of the file."""
        return ((stage, step) for stage in self.stages for step in stage.steps)

    def seconds(self, mode: Mode | None = None) -> float | None:
        """Return the estimated seconds of all steps of this mode (None: of every mode), None when none of them was ever measured."""
        known = [step.estimate.seconds for _, step in self.steps if step.estimate and mode in (None, step.mode)]
        return sum(known) if known else None

    def to_json(self) -> dict[str, Any]:
        """Return the plan of one platform as a JSON object."""
        return {
            "platform": str(self.platform),
            "node": self.node or None,
            "runs": self.runs.value if self.runs else None,
            "mode": self.mode.value,
            "reason": self.reason,
            "faster": self.faster or None,
            "others": list(self.others),
            "build_platform": str(self.graph.build_platform),
            "estimated_seconds": self.seconds(),
            "estimated_emulated_seconds": self.seconds(Mode.EMULATED),
            "stages": [stage.to_json() for stage in self.stages],
        }


@dataclass(frozen=True)
class Problem:
    """Why a plan cannot be carried out: ``rule`` is its stable name, ``span`` where in the file (None: nowhere), ``hint`` how to go on."""

    rule: str
    message: str
    hint: str
    span: Span | None
    platform: Platform

    def to_json(self) -> dict[str, Any]:
        """Return the problem as a JSON object."""
        lines = [self.span.first, self.span.last] if self.span else None
        return {"rule": self.rule, "message": self.message, "hint": self.hint, "lines": lines, "platform": str(self.platform)}


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """The whole plan: one part for each platform; ``problems`` forbid it, ``warnings`` are lines that the policy wants to be said."""

    name: str
    emulation: Emulation
    platforms: tuple[PlatformPlan, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether it can be carried out."""
        return not self.problems

    @property
    def graphs(self) -> Mapping[Platform, StageGraph]:
        """The stages, by target platform."""
        return {plan.platform: plan.graph for plan in self.platforms}

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the JSON object that ``qd plan --json`` prints."""
        return {
            "file": self.name,
            "emulation": self.emulation.value,
            "possible": self.possible,
            "platforms": [plan.to_json() for plan in self.platforms],
            "problems": [problem.to_json() for problem in self.problems],
            "warnings": list(self.warnings),
        }
