"""A plan in a few lines, as ``qd build`` shows it before it begins; ``qd plan`` shows all of it."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.planning.model import BuildPlan, Mode, PlatformPlan
from quarterdeck.cli.build.plan_rows import duration

_WORDS = {Mode.NATIVE: "native", Mode.CROSS: "cross-compiled", Mode.EMULATED: "emulated"}


def summary(plan: BuildPlan) -> Iterator[str]:
    """Yield a line for each platform: where it is built, how many of its steps run how, and what earlier builds took."""
    width = max(len(str(one.platform)) for one in plan.platforms)
    for one in plan.platforms:
        seconds = one.seconds()
        estimate = f", {duration(seconds, exact=False)}" if seconds is not None else ""
        yield f"{one.platform!s:<{width}}  {one.node}: {_steps(one)}{estimate}"
    if any(one.mode is Mode.EMULATED for one in plan.platforms):
        yield "'qd plan' says which steps are emulated, and what would be faster"


def _steps(plan: PlatformPlan) -> str:
    counts = {mode: sum(step.mode is mode for _, step in plan.steps) for mode in _WORDS}
    parts = [f"{count} {_WORDS[mode]}" for mode, count in counts.items() if count]
    return f"RUN steps: {', '.join(parts)}" if parts else "nothing to run"
