"""How a plan looks: one table for each platform, and below it why, and what would make it faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from quarterdeck.build.advice import Advice
from quarterdeck.build.engines.text import one_line
from quarterdeck.build.planning.model import BuildPlan, Mode, PlannedStep, PlatformPlan
from quarterdeck.cli.build.plan_rows import Row, duration, lines, rows
from quarterdeck.cli.output import results
from quarterdeck.cli.table import Cell, Column, print_columns, print_folded

_STYLES = {
    Mode.FREE: "dim",
    Mode.NATIVE: "green",
    Mode.CROSS: "cyan",
    Mode.EMULATED: "yellow",
    Mode.IMPOSSIBLE: "bold red",
}
_COLUMNS = (Column("STAGE"), Column("LINES"), Column("HOW"), Column("TIME", 1), Column("STEP"))
_NARROW = 24
_IN_PIPES = 100


def show_plan(plan: BuildPlan, advices: Sequence[Advice], *, each: bool) -> None:
    """Print a plan for people; ``each`` gives every step a line of its own."""
    for index, one in enumerate(plan.platforms):
        if index:
            results.print()
        _show_platform(one, each=each)
    below = [*_problems(plan), *_advice(plan.name, advices)]
    if below:
        results.print()
        print_folded(below)


def _show_platform(plan: PlatformPlan, *, each: bool) -> None:
    results.print(_heading(plan))
    found = list(rows(plan, each=each))
    if found:
        print_columns(_COLUMNS, _cells(found))
    print_folded([[Text(f"  {title}", style="dim"), text] for title, text in _below(plan)])


def _heading(plan: PlatformPlan) -> Text:
    where = f" on {plan.node}" if plan.node else ""
    known = plan.seconds()
    steps = [step for _, step in plan.steps if step.work]
    exact = all(step.estimate and step.estimate.measured for step in steps)
    seconds = f", {duration(known, exact=exact)}" if known is not None else ""
    return Text.assemble((str(plan.platform), "bold"), f"{where}: ", (plan.mode.value, _STYLES[plan.mode]), seconds)


def _cells(found: Sequence[Row]) -> list[list[Cell]]:
    fixed = [[row.stage.label, row.lines, row.mode.value, row.seconds or "-"] for row in found]
    taken = sum(max(map(len, column)) + 2 for column in zip(*fixed, strict=True))
    room = max(_NARROW, results.width - taken) if results.is_terminal else _IN_PIPES
    return [
        [stage, where, Text(how, style=_STYLES[row.mode]), time, _shortened(row.text, room)]
        for row, (stage, where, how, time) in zip(found, fixed, strict=True)
    ]


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _below(plan: PlatformPlan) -> Iterator[tuple[str, str]]:
    """Yield why it is so and what would make it faster, each thing once."""
    yield "why", plan.reason
    reasons: dict[str, list[str]] = {}
    for stage in plan.stages:
        first = next((step for step in stage.steps if step.mode is not Mode.FREE), None)
        if first:
            reasons.setdefault(first.reason, []).append(stage.label)
    yield from (("why", one_line(f"{', '.join(labels)}: {reason}")) for reason, labels in reasons.items())
    if plan.faster:
        yield "faster", plan.faster
    yield from _faster(plan)


def _faster(plan: PlatformPlan) -> Iterator[tuple[str, str]]:
    found: dict[str, list[PlannedStep]] = {}
    for _, step in plan.steps:
        if step.faster:
            found.setdefault(step.faster, []).append(step)
    for advice, steps in found.items():
        where = ", ".join(dict.fromkeys(lines([step]) for step in steps))
        slow = max(step.slowdown for step in steps)
        yield "faster", f"line {where} (about {slow:.0f} times slower than natively): {advice}"


def _problems(plan: BuildPlan) -> Iterator[list[Cell]]:
    for problem in plan.problems:
        where = f"{plan.name}:{problem.span.first}: " if problem.span else ""
        text = Text(one_line(f"{where}{problem.message}"))
        text.append(f"\nfix: {problem.hint}" if results.is_terminal else f"; fix: {problem.hint}", style="cyan")
        yield [Text("problem", style="bold red"), text]


def _advice(name: str, advices: Sequence[Advice]) -> Iterator[list[Cell]]:
    for advice in advices:
        patch = " (qd plan --patch shows the change)" if advice.patch is not None and advice.safe else ""
        gain = f": {advice.gain}" if advice.gain else ""
        yield [Text("advice", style="cyan"), Text(one_line(f"{name}:{advice.span.first}: {advice.message}{gain}{patch}"))]
