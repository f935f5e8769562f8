"""``qd binfmt status``: what is registered, whose it is, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from rich.text import Text

from quarterdeck.binfmt.kernel.instance import Instance, Kind
from quarterdeck.binfmt.status.model import BinfmtStatus, EntryStatus, Runs
from quarterdeck.binfmt.status.tried import proved_status
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, results
from quarterdeck.cli.table import Cell, Column, print_columns, print_folded
from quarterdeck.host.check import Status as Level

_LEVELS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red", Level.INFO: "dim"}
_COLUMNS = (
    Column("ENTRY"),
    Column("FLAGS"),
    Column("VERSION", 2),
    Column("FILE", 3),
    Column("KEPT", 4),
    Column("OWNER", 5),
    Column("INTERPRETER", 1),
)
_WHOSE = {
    Kind.HOST: "the host's instance",
    Kind.OWN: "this user namespace's own instance, which hides the host's",
    Kind.INHERITED: "the host's instance, seen from a user namespace that cannot change it",
    Kind.ABSENT: "not mounted",
}


def status(json: Json = False) -> None:
    """Say what the kernel has registered, whose it is, what is wrong with it, and what an image build would find.

    Changes nothing. Exits with 1 when something that is registered cannot work.
    """
    found = proved_status()
    if json:
        print_json(found.to_json())
    else:
        _show(found)
    if not found.sound:
        raise typer.Exit(1)


def _show(found: BinfmtStatus) -> None:
    print_folded([["binfmt_misc", _instance(found.instance)], ["at boot", found.keeper.reason]])
    if found.entries:
        results.print()
        print_columns(_COLUMNS, [_row(entry) for entry in found.entries])
    results.print()
    print_folded(list(_builds(found)))
    if found.findings:
        results.print()
        print_folded(list(_findings(found)))


def _instance(instance: Instance) -> str:
    switched = "" if instance.enabled or not instance.mounted else ", switched off"
    return f"{_WHOSE[instance.kind]}{switched} (Linux {'.'.join(map(str, instance.kernel))})"


def _row(status: EntryStatus) -> list[Cell]:
    entry = status.entry
    name = Text(entry.name, style="" if entry.enabled else "dim strike")
    version = ".".join(map(str, status.version)) if status.version else "-"
    flags = "".join(letter for letter in "POCF" if letter in entry.flags) or "-"
    state = status.file.value if status.static is not False else f"{status.file.value}, dynamic"
    return [name, flags, version, state, "yes" if status.kept else "no", str(status.owner), entry.interpreter]


def _builds(found: BinfmtStatus) -> Iterator[list[Cell]]:
    """Yield what image builds find: platforms by how their steps run."""
    for runs, title in ((Runs.NATIVE, "builds run"), (Runs.EMULATED, "builds emulate"), (Runs.NO, "builds cannot")):
        platforms = [platform.platform for platform in found.platforms if platform.runs is runs]
        if platforms:
            yield [title, ", ".join(platforms)]


def _findings(found: BinfmtStatus) -> Iterator[list[Cell]]:
    for finding in found.findings:
        text = Text(finding.text)
        if finding.fix:
            text.append(f"\nfix: {finding.fix}" if results.is_terminal else f"; fix: {finding.fix}", style="cyan")
        yield [Text(finding.level.value, style=_LEVELS[finding.level]), text]
