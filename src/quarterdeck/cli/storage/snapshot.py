"""``qd snapshot create|ls|restore|rm``."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from quarterdeck.cli.options import Json, Machine
from quarterdeck.cli.output import print_json, results, say
from quarterdeck.cli.storage.doing import do
from quarterdeck.errors import UsageError

Tag = Annotated[str, typer.Argument(metavar="TAG", help="The snapshot's name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_CONSISTENCY = {
    "stopped": "machine stopped",
    "memory": "guest goes on",
    "agent": "file systems frozen",
    "crash": "as after a power cut",
}


def create(
    name: Machine,
    tag: Annotated[str | None, typer.Argument(metavar="[TAG]", help="The snapshot's name.  [default: made from the time]")] = None,
    memory: Annotated[bool, typer.Option("--memory", "-m", help="Keep the running guest's memory too, to go on from.")] = False,
    json: Json = False,
) -> None:
    """Keep the state of a machine's disks, UEFI variables and TPM as they are now; it may run meanwhile.

    The guest is held for a moment. Where its agent answers, its file systems are frozen first, so that they are whole in the snapshot;
    else they are as after a power cut, which systems of today survive. With **--memory** the guest itself is in it.
    """
    body: dict[str, Any] = {"tag": tag, "memory": memory}
    made = do(name, "/snapshots", body, lambda storage: storage.create_snapshot(tag, memory=memory), quiet=json)
    if json:
        print_json(made)
        return
    say(f"Snapshot of {', '.join(made['disks'])}: {_CONSISTENCY[made['consistency']]}.", "dim")
    results.print(made["tag"], markup=False)


def ls(name: Machine, json: Json = False) -> None:
    """List a machine's snapshots, oldest first."""
    from quarterdeck.cli.table import Column, print_columns
    from quarterdeck.runtime.storage.snapshot import load_all
    from quarterdeck.runtime.store import MachineStore

    found = load_all(MachineStore().layout(name))
    if json:
        print_json([one.to_json() for one in found])
        return
    columns = (Column("TAG"), Column("CREATED", 1), Column("MEMORY", 2), Column("CONSISTENCY", 3), Column("DISKS", 4))
    rows = [
        (one.tag, _when(one.created), "yes" if one.memory else "no", _CONSISTENCY.get(one.consistency, ""), " ".join(one.disks))
        for one in found
    ]
    print_columns(columns, rows)


def restore(name: Machine, tag: Tag, yes: Yes = False) -> None:
    """Go back to a snapshot. All that the machine wrote since is lost.

    A machine that is stopped gets the snapshot's disks, UEFI variables and TPM. A machine that runs goes on from the memory in the
    snapshot; a snapshot without memory needs it stopped. Other snapshots stay, older and newer ones.
    """
    if not yes:
        _confirm(f"Take {name} back to '{tag}', and lose all that was written since?")
    do(name, "/snapshots/restore", {"tag": tag}, lambda storage: storage.restore_snapshot(tag))
    results.print(tag, markup=False)


def rm(name: Machine, tags: Annotated[list[str], typer.Argument(metavar="TAG", help="The snapshots.")]) -> None:
    """Delete snapshots. The space that they took is used again by the machine's disks."""
    from quarterdeck.cli.each import each

    def remove(tag: str) -> None:
        do(name, "/snapshots/remove", {"tag": tag}, lambda storage: storage.remove_snapshot(tag))

    each(tags, remove)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("not-confirmed", "losing data must be confirmed", reason="there is no terminal to ask on", hint="add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
