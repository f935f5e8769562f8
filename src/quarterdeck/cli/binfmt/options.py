"""Arguments and options that the commands of ``qd binfmt`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.host.binfmt_misc import FOLDER


def _complete_arch(incomplete: str) -> list[str]:
    from quarterdeck.binfmt.selection import emulated

    return [arch.name for arch in emulated() if arch.name.startswith(incomplete)]


_WHAT_HELP = "Architectures (arm64), OCI platforms (linux/arm64), patterns ('mips*'), or 'all'; commas separate too."

What = Annotated[list[str], typer.Argument(metavar="WHAT", help=_WHAT_HELP, autocompletion=_complete_arch)]
AnyArch = Annotated[
    list[str] | None, typer.Argument(metavar="WHAT", help=f"{_WHAT_HELP}  [default: all that is registered]", autocompletion=_complete_arch)
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FOLDER", exists=True, file_okay=False, help="Take the emulators from this folder.  [default: the system's]"
    ),
]
Prefix = Annotated[str, typer.Option("--prefix", metavar="TEXT", help="What the names of the emulators in the folder begin with.")]
Flags = Annotated[
    str | None,
    typer.Option("--flags", metavar="LETTERS", help="Flags of the entries, of C F O P.  [default: CFO, and P where it works]"),
]
Cpu = Annotated[
    str | None,
    typer.Option(
        "--cpu",
        metavar="MODEL",
        help="CPU model of the emulators, or 'default' for QEMU's own.  [default: the fastest that can do everything]",
    ),
]
Mount = Annotated[Path, typer.Option("--mount", metavar="FOLDER", help="Where binfmt_misc is mounted.", show_default=str(FOLDER))]
