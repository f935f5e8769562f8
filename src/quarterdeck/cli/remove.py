"""``qd rm``: delete machines."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from quarterdeck.cli import options
from quarterdeck.cli.each import each
from quarterdeck.errors import UsageError
from quarterdeck.runtime.state import RESTING


def rm(
    names: options.Machines,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Also when it runs: cut its power first.")] = False,
) -> None:
    """Delete machines with their disks. Images that they were made from stay."""
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    records = [store.get(name) for name in names]
    running = [record.name for record in records if record.qemu_alive or record.state not in RESTING]
    if running and not force:
        hint = f"stop it first: qd stop {running[0]}; or cut its power: add --force"
        raise UsageError("machine-busy", f"machine '{running[0]}' is running", hint=hint)
    if not yes:
        _confirm(names, running)
    each(names, lambda name: _remove(name, force=force))


def _remove(name: str, *, force: bool) -> None:
    from quarterdeck.cli.stopping import Stopping
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    record = store.get(name)
    supervised = record.supervised or record.qemu_alive
    if supervised and (force or record.state in RESTING):  # the supervisor of a machine that was stopped on its page stays
        Stopping.ask(name, None, force=True).wait()
    store.remove(name)


def _confirm(names: list[str], running: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("not-confirmed", "deleting disks must be confirmed", reason="there is no terminal to ask on", hint="add --yes")
    cut = f", and cut the power of {', '.join(running)}" if running else ""
    if not typer.confirm(f"Delete {', '.join(names)} with all disks{cut}?", err=True):
        raise typer.Exit(1)
