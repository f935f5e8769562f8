"""``qd doctor``: what this host can do, what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from quarterdeck.cli.output import print_json, results
from quarterdeck.host.check import Check, Status
from quarterdeck.host.doctor import examine, summarize

_STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.INFO: "dim"}


def doctor(json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False) -> None:
    """Say what this host can do, what is missing, and the command that mends it.

    Changes nothing. Exits with 1 when something is missing that every machine needs.
    """
    checks = asyncio.run(examine())
    if json:
        print_json({"checks": [check.to_json() for check in checks], "summary": summarize(checks)})
    elif results.is_terminal:
        _print_table(checks)
    else:
        sys.stdout.write(plain_text(checks))
    if any(check.fatal for check in checks):
        raise typer.Exit(1)


def plain_text(checks: Sequence[Check]) -> str:
    """Return the checks as text without colours: one line each, and one for what mends it."""
    lines = []
    for check in checks:
        lines.append(f"{check.status.value:<4}  {check.title}: {check.detail}")
        if check.fix:
            lines.append(f"      fix: {check.fix}")
    return "\n".join([*lines, "", verdict(checks), ""])


def verdict(checks: Sequence[Check]) -> str:
    """Return the one line that matters."""
    missing = [check.title for check in checks if check.fatal]
    if missing:
        return f"Machines cannot run here yet; missing: {', '.join(missing)}."
    warnings = sum(check.status in (Status.WARN, Status.FAIL) for check in checks)
    return f"Machines can run here ({warnings} warnings)." if warnings else "Machines can run here."


def _print_table(checks: Sequence[Check]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "Check", "Found"):
        table.add_column(column, overflow="fold")
    for check in checks:
        found = Text(check.detail)
        if check.fix:
            found.append(f"\nfix: {check.fix}", style="cyan" if check.status is not Status.INFO else "dim")
        table.add_row(Text(check.status.value, style=_STYLES[check.status]), Text(check.title), found)
    results.print(table, soft_wrap=False)
    results.print(Text(f"\n{verdict(checks)}", style="bold"))
