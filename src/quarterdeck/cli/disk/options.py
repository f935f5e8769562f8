"""What several commands about disks take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarterdeck.core.size import parse_size
from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from quarterdeck.media.disk.kinds import Options

File = Annotated[Path, typer.Argument(metavar="FILE", help="The disk: any format, told by its content.")]
PackedFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The disk: any format, also packed (gz, xz, zst, zip, 7z, ova and others).")
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="qcow2|raw|vmdk|vhdx|vdi|vhd|qed|parallels|qcow",
        help="Format to write.  [default: what the name ends in, else qcow2]",
    ),
]
Compress = Annotated[bool, typer.Option("--compress", help="Compress it, where the format can: qcow2, vmdk (stream-optimised).")]
Preallocation = Annotated[
    str | None,
    typer.Option(
        "--preallocation",
        metavar="metadata|falloc|full",
        help="What is allocated from the start: places of all blocks (qcow2; vhdx, vdi, vhd of fixed size), or all space (qcow2, raw).",
    ),
]
ClusterSize = Annotated[
    str | None, typer.Option("--cluster-size", metavar="SIZE", help="Unit of allocation, such as 64K (qcow2, vhdx, qed, parallels).")
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]
Member = Annotated[str | None, typer.Option("--member", metavar="NAME", help="Which image, where an archive holds several.")]


def to_options(target: Path, format: str | None, *, compress: bool, preallocation: str | None, cluster_size: str | None) -> Options:
    """Return how ``target`` is written. Raises: UsageError."""
    from quarterdeck.media.disk.kinds import Options, find_kind

    size = None if cluster_size is None else parse_size(cluster_size)
    return Options(kind=find_kind(format, target), compress=compress, preallocation=none_is_off(preallocation), cluster_size=size)


def none_is_off(preallocation: str | None) -> str | None:
    """Return the mode of preallocation; ``off`` is none."""
    modes = ("off", "metadata", "falloc", "full")
    if preallocation is not None and preallocation not in modes:
        raise UsageError("unknown-preallocation", f"'{preallocation}' is no preallocation", hint=f"one of: {', '.join(modes)}")
    return None if preallocation == "off" else preallocation
