"""``qd disk resize``: a larger or smaller disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.disk.doing import perform, print_made
from quarterdeck.cli.disk.options import ClusterSize, Compress, Force, Format, Member, PackedFile, Preallocation, to_options
from quarterdeck.cli.options import Json, ProgressMode
from quarterdeck.cli.output import Progress
from quarterdeck.core.size import parse_size
from quarterdeck.errors import UsageError


def resize(
    file: PackedFile,
    size: Annotated[str, typer.Argument(metavar="[+]SIZE", help="New size, such as 40G; with + how much it grows.")],
    in_place: Annotated[bool, typer.Option("--in-place", help="Change FILE itself: raw, qcow2 or qed.")] = False,
    to: Annotated[Path | None, typer.Option("--to", metavar="NEW", help="Write a copy of that size, in any format.")] = None,
    shrink: Annotated[bool, typer.Option("--shrink", help="Smaller is meant; refused where partitions or data would be cut off.")] = False,
    format: Format = None,
    compress: Compress = False,
    preallocation: Preallocation = None,
    cluster_size: ClusterSize = None,
    member: Member = None,
    force: Force = False,
    json: Json = False,
    progress: ProgressMode = Progress.AUTO,
) -> None:
    """Change the size of a disk file, in place or in a copy, and print its path. For the disk of a machine there is `qd grow`.

    The copy of a GPT partition table moves to the new end. Partitions and file systems stay as they are; growing them is the guest's work.
    Do not resize a file that others stand on.
    """
    from quarterdeck.media.disk.resize import NewSize, resize_copy, resize_in_place

    wanted = NewSize(parse_size(size.removeprefix("+")), more=size.startswith("+"), shrink=shrink)
    if in_place == (to is not None):
        raise UsageError("resize-where", "say what is to be changed", hint="--in-place changes FILE, --to NEW writes a copy")
    if to is None:
        if format or compress or preallocation or cluster_size or member or force:
            raise UsageError("options-of-copy", "--in-place changes nothing but the size", hint="the other options need --to NEW")
        made = perform(lambda report: resize_in_place(file, wanted, report=report), progress)
    else:
        options = to_options(to, format, compress=compress, preallocation=preallocation, cluster_size=cluster_size)
        made = perform(lambda report: resize_copy(file, to, options, wanted=wanted, force=force, member=member, report=report), progress)
    print_made(made, json=json)
