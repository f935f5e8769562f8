"""``qd restore``: a machine made of a backup."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.output import results, say


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of backups.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the new machine.  [default: the one it had]")] = None,
    backup: Annotated[str | None, typer.Option("--backup", metavar="ID", help="Which backup.  [default: the newest]")] = None,
) -> None:
    """Make a machine of a backup, and print its name. Every file that is needed is verified by its checksum first.

    Under its old name it is the same machine to its guest; under another it is a new one, with another UUID and other addresses.
    """
    from quarterdeck.cli.storage.doing import Show
    from quarterdeck.runtime.storage.newcomer import clashes
    from quarterdeck.runtime.storage.restore import restore as make
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    layout = asyncio.run(make(store, folder.absolute(), name=name, number=backup, report=Show()))
    made = layout.root.name
    for text in clashes(store, store.spec(made)):
        say(f"{text}: the two cannot run at the same time", "yellow")
    say(f"Start it: qd start {made}", "dim")
    results.print(made, markup=False)
