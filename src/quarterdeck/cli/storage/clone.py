"""``qd clone``: another machine with the same disks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli.options import Json, Machine, Port
from quarterdeck.cli.output import print_json, results, say
from quarterdeck.cli.storage.doing import do


def clone(
    name: Machine,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the new machine.")],
    full: Annotated[bool, typer.Option("--full", help="Copy the disks; the machine may run meanwhile.")] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Make another machine with the same disks, and print its name.

    A linked clone takes no time and no space: the disks, as they are now, become a layer that is never written again, and both machines
    keep what they change from now on. The machine must be stopped for it and have no snapshots. With **--full** the disks are copied.

    The clone has a UUID, network addresses, a password and a TPM of its own. **--port** replaces the ports of the original.
    """
    body: dict[str, Any] = {"name": new, "full": full, "ports": port}
    made = do(name, "/clone", body, lambda storage: storage.clone(new, full=full, ports=port), quiet=json)
    if json:
        print_json(made)
        return
    for text in made["clashes"]:
        say(f"{text}: the two cannot run at the same time; --port gives the clone others", "yellow")
    say(f"Start it: qd start {new}", "dim")
    results.print(made["name"], markup=False)
