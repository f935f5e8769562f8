"""How proofs and plans look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer
from rich.text import Text

from quarterdeck.binfmt.change.plan import Action, Plan
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.proof import Outcome, Proof
from quarterdeck.cli.output import print_json, say
from quarterdeck.cli.table import Cell, Column, print_columns

_MARKS = {
    Outcome.PASS: Text("yes", style="green"),
    Outcome.FAIL: Text("NO", style="bold red"),
    Outcome.LIMIT: Text("limit", style="yellow"),
    Outcome.SKIP: Text("-", style="dim"),
}
_LESS = (Probe.THREADS, Probe.SIGNAL)
_COLUMNS = (Column("ARCH"), Column("BY", 2), *(Column(str(probe).upper(), int(probe in _LESS)) for probe in Probe))


def show_plan(plan: Plan) -> None:
    """Tell people on stderr what will be done; what stays as it is only where nothing is done."""
    for step in plan.steps:
        if step.action.changes or step.action is Action.REFUSE or not plan.changes:
            say(step.line(), "yellow" if step.action is Action.REFUSE else "")
        if step.hint and step.action is Action.REFUSE:
            say(f"  fix: {step.hint}")


def show_preview(plan: Plan, *, json: bool) -> None:
    """Print a plan that is not carried out."""
    if json:
        print_json({"plan": plan.to_json()})
        return
    for step in plan.steps:
        typer.echo(step.line())
        if step.hint:
            say(f"  fix: {step.hint}")
    if not plan.steps:
        say("there is nothing to do")


def show_proofs(proofs: Sequence[Proof]) -> None:
    """Print a table of what was proved, and below it on stderr what is worth knowing about it, each thing once."""
    print_columns(_COLUMNS, [_row(proof) for proof in proofs])
    remarks: dict[str, list[str]] = {}
    for proof in proofs:
        for remark in _remarks(proof):
            remarks.setdefault(remark, []).append(proof.arch.name)
    for remark, names in remarks.items():
        say(f"{', '.join(names)}: {remark}")


def _row(proof: Proof) -> list[Cell]:
    by = "native" if proof.entry is None else proof.entry.name
    return [proof.arch.name, by if proof.entry or proof.native else "-", *(_MARKS[proof.results[probe].outcome] for probe in Probe)]


def _remarks(proof: Proof) -> Iterator[str]:
    for probe, result in proof.results.items():
        if result.outcome in (Outcome.FAIL, Outcome.LIMIT):
            yield f"{probe}: {result.detail}"
    yield from proof.notes
