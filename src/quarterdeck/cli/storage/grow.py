"""``qd grow``: a larger disk for a machine."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.cli.options import Json, Machine
from quarterdeck.cli.output import print_json, results
from quarterdeck.cli.storage.doing import do
from quarterdeck.core.size import format_size, parse_size


def grow(
    name: Machine,
    size: Annotated[str, typer.Argument(metavar="SIZE", help="Size that the disk is to have, such as 40G.")],
    disk: Annotated[int, typer.Option("--disk", metavar="N", min=0, help="Which disk; the first is 0.")] = 0,
    json: Json = False,
) -> None:
    """Make a disk of a machine larger, also while it runs. Disks never shrink.

    The guest sees the new size at once. Its partition and file system grow at the next boot where cloud-init or the like sees to that.
    """
    wanted = parse_size(size)
    made = do(name, "/disks/grow", {"disk": disk, "size": wanted}, lambda storage: storage.grow(wanted, index=disk), quiet=json)
    if json:
        print_json(made)
    else:
        results.print(f"disk{made['disk']}: {format_size(made['size'])}", markup=False)
