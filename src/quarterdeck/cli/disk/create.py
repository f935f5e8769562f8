"""``qd disk create``: a new, empty disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.disk.doing import perform, print_made
from quarterdeck.cli.disk.options import ClusterSize, Force, Format, Preallocation, to_options
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import Progress
from quarterdeck.core.size import parse_size


def create(
    new: Annotated[Path, typer.Argument(metavar="NEW", help="File to write.")],
    size: Annotated[str, typer.Argument(metavar="SIZE", help="Size as the guest sees it, such as 20G.")],
    format: Format = None,
    preallocation: Preallocation = None,
    cluster_size: ClusterSize = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Make an empty disk, and print its path. It takes space as it is filled, unless preallocated."""
    from quarterdeck.media.disk.create import create as make

    options = to_options(new, format, compress=False, preallocation=preallocation, cluster_size=cluster_size)
    made = perform(lambda report: make(new, options, size=parse_size(size), force=force, report=report), Progress.PLAIN)
    print_made(made, json=json)
