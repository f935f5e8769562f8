"""``qd backup``: add a backup to a folder, or look at those that are there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarterdeck.cli.options import Json, _complete_machine
from quarterdeck.cli.output import print_json, results, say
from quarterdeck.cli.storage.doing import do
from quarterdeck.core.size import format_size
from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from quarterdeck.runtime.storage.chain import Backup, Flaw


def backup(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The machine.", autocompletion=_complete_machine)] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Folder of this machine's backups.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Copy everything, not only what changed.")] = False,
    verify: Annotated[Path | None, typer.Option("--verify", metavar="DIR", help="Check every byte of the backups in DIR.")] = None,
    show: Annotated[Path | None, typer.Option("--list", metavar="DIR", help="List the backups in DIR.")] = None,
    json: Json = False,
) -> None:
    """Copy a machine's disks to a folder while it runs: everything at first, then only what changed since the last time.

    A backup holds the disks of one moment, UEFI variables, TPM, spec and password, with a checksum of each file. Optical disks and
    read-only disks are left out. `qd restore` makes a machine of it. **--verify** exits with 1 when something is damaged or missing.
    """
    chosen = [way for way in (to, verify, show) if way is not None]
    if len(chosen) != 1 or (name is None) == (to is not None):
        hint = "qd backup NAME --to DIR, qd backup --list DIR, or qd backup --verify DIR"
        raise UsageError("backup-what", "say what to back up where, or which folder to look at", hint=hint)
    if to is not None and name is not None:
        _make(name, to.absolute(), full=full, json=json)
    elif show is not None:
        _list(show, json=json)
    elif verify is not None:
        _verify(verify, json=json)


def _make(name: str, folder: Path, *, full: bool, json: bool) -> None:
    body: dict[str, Any] = {"folder": str(folder), "full": full}
    made = do(name, "/backup", body, lambda storage: storage.back_up(folder, full=full), quiet=json)
    if json:
        print_json(made)
    else:
        results.print(f"{folder}/{made['id']}", markup=False)


def _list(folder: Path, *, json: bool) -> None:
    from quarterdeck.cli.table import Column, print_columns
    from quarterdeck.runtime.storage.chain import load_all

    known = load_all(folder)
    if json:
        print_json([one.to_json() for one in known])
        return
    columns = (Column("BACKUP"), Column("MACHINE", 2), Column("CREATED", 1), Column("KIND", 1), Column("SIZE", 1), Column("CONSISTENCY", 3))
    print_columns(columns, [_row(one) for one in known])


def _row(one: Backup) -> tuple[str, ...]:
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.created))
    return one.id, one.machine, created, one.kind, format_size(one.size), one.consistency


def _verify(folder: Path, *, json: bool) -> None:
    from quarterdeck.runtime.storage.chain import flaws, manifests

    count = len(manifests(folder))
    found: list[Flaw] = list(flaws(folder))
    if json:
        print_json({"backups": count, "flaws": [{"backup": flaw.backup, "flaw": flaw.text} for flaw in found]})
    for flaw in found if not json else ():
        results.print(f"{flaw.backup}: {flaw.text}", markup=False)
    if not found and not json:
        say(f"{count} backups are whole." if count != 1 else "1 backup is whole.", "green")
    if found:
        raise typer.Exit(1)
