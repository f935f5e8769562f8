"""``qd disk convert``: a disk in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.disk.doing import perform, print_made
from quarterdeck.cli.disk.options import ClusterSize, Compress, Force, Format, Member, PackedFile, Preallocation, to_options
from quarterdeck.cli.options import Json, ProgressMode
from quarterdeck.cli.output import Progress


def convert(
    file: PackedFile,
    new: Annotated[Path, typer.Argument(metavar="NEW", help="File to write.")],
    format: Format = None,
    compress: Compress = False,
    preallocation: Preallocation = None,
    cluster_size: ClusterSize = None,
    member: Member = None,
    force: Force = False,
    json: Json = False,
    progress: ProgressMode = Progress.AUTO,
) -> None:
    """Copy a disk to another format, and print the new file's path. The original is only read.

    A disk that stands on others becomes one. Zeros take no space. Snapshots inside a qcow2 file are not copied, which is said.
    The new file appears when it is complete; what a killed run left is removed by the next one in the same folder.
    """
    from quarterdeck.media.disk.convert import convert as make

    options = to_options(new, format, compress=compress, preallocation=preallocation, cluster_size=cluster_size)
    print_made(perform(lambda report: make(file, new, options, force=force, member=member, report=report), progress), json=json)
