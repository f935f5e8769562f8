"""What forbids a plan: emulation that the policy does not allow, and programs that no node can run."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.planning.model import BuildPlan, Mode, PlannedStage, PlannedStep, PlatformPlan, Problem
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, QuarterdeckError, UsageError

EMULATION_FORBIDDEN = "emulation-forbidden"
CANNOT_RUN = "platform-cannot-run"
NO_NODE = "no-node"


def problems_of(plan: PlatformPlan, emulation: Emulation, missing: str) -> Iterator[Problem]:
    """Yield what forbids the plan of one platform, one for each stage; ``missing`` says why no node builds it, empty when one does."""
    stages = [(stage, step) for stage in plan.stages if (step := _worst_step(stage)) is not None]
    for stage, step in stages:
        if step.mode is Mode.IMPOSSIBLE:
            yield _cannot_run(plan, stage, step, missing)
        elif emulation is Emulation.NEVER:
            yield _forbidden(plan, stage, step)
    if missing and not any(step.mode is Mode.IMPOSSIBLE for _, step in stages):
        yield Problem(
            NO_NODE, f"no node builds {plan.platform}: {missing}", "see 'qd nodes ls', or add one: qd nodes add", None, plan.platform
        )


def check(plan: BuildPlan) -> None:
    """Refuse a plan that has problems.

    Raises:
        UsageError: the policy forbids emulation.
        HostError: no node can run programs of a platform.
    """
    if plan.problems:
        raise as_error(plan)


def as_error(plan: BuildPlan) -> QuarterdeckError:
    """Return the problems of a plan, of which there is at least one, as one error."""
    first, *rest = plan.problems
    more = f" (and {len(rest)} more)" if rest else ""
    kind = UsageError if first.rule == EMULATION_FORBIDDEN else HostError
    reason = "\n".join(dict.fromkeys(_place(plan.name, problem) + problem.message for problem in plan.problems))
    return kind(first.rule, f"{plan.name} cannot be built as asked for {first.platform}{more}", reason=reason, hint=first.hint)


def _place(name: str, problem: Problem) -> str:
    return f"{name}:{problem.span.first}: " if problem.span else ""


def _worst_step(stage: PlannedStage) -> PlannedStep | None:
    """Return the first step that stands for the stage's problem."""
    wanted = Mode.IMPOSSIBLE if stage.mode is Mode.IMPOSSIBLE else Mode.EMULATED
    return next((step for step in stage.steps if step.mode is wanted), None)


def _cannot_run(plan: PlatformPlan, stage: PlannedStage, step: PlannedStep, missing: str) -> Problem:
    why = f"{plan.node} cannot run them" if plan.node else missing
    message = f"stage '{stage.label}' runs {stage.platform} programs for {plan.platform}: {why}"
    return Problem(CANNOT_RUN, message, _add(stage.platform), step.span, plan.platform)


def _add(platform: Platform) -> str:
    register = f"register an emulator: qd binfmt install {platform.arch.name}; or " if platform.arch else ""
    return f"{register}add a node that runs {platform}: qd nodes add NAME ssh://HOST"


def _forbidden(plan: PlatformPlan, stage: PlannedStage, step: PlannedStep) -> Problem:
    message = f"stage '{stage.label}' would be emulated as {stage.platform} on {plan.node} for {plan.platform}, and emulation is 'never'"
    heaviest = max((one for one in stage.steps if one.faster), key=lambda one: one.slowdown, default=step)
    move = f"{heaviest.faster}; or " if heaviest.faster else ""
    hint = f"{move}add a native node (qd nodes add NAME ssh://HOST), or say --emulation warn"
    return Problem(EMULATION_FORBIDDEN, message, hint, step.span, plan.platform)
