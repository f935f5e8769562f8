"""Arguments and options that the commands of ``qd catalogue`` share."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue.model import Kind


def _complete_name(incomplete: str) -> list[str]:
    from quarterdeck.errors import QuarterdeckError
    from quarterdeck.media.catalogue.catalogue import load_catalogue

    try:
        return [entry.name for entry in load_catalogue() if entry.name.startswith(incomplete)]
    except QuarterdeckError:
        return []


Source = Annotated[
    str,
    typer.Argument(
        metavar="NAME[:RELEASE]|URL|FILE",
        help="An entry such as mint or mint:22.1, or where an image is. Files that are called like an entry are written ./NAME.",
        autocompletion=_complete_name,
    ),
]
OneName = Annotated[str, typer.Argument(metavar="NAME", help="The entry, such as mint.", autocompletion=_complete_name)]
AnyNames = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="The entries.  [default: all]", autocompletion=_complete_name, show_default=False)
]
ArchName = Annotated[str | None, typer.Option("--arch", help="Architecture, such as x86_64 or arm64.")]
KindName = Annotated[
    Kind | None, typer.Option("--kind", help="iso (installers and live systems), cloud (with cloud-init), coreos (with Ignition)...")
]
More = Annotated[
    list[str] | None,
    typer.Option(
        "--catalogue",
        metavar="DIR|URL",
        help="A folder of *.yaml files, or the https URL of one, whose entries replace those of the same name. Repeatable.",
    ),
]
Mirror = Annotated[
    str | None,
    typer.Option(
        "--mirror",
        envvar="QUARTERDECK_MIRROR",
        metavar="URL",
        help="Ask this server instead of the publishers: their host names are the first part of its paths.",
    ),
]


def arch_of(name: str | None) -> Arch | None:
    """Return the architecture of ``--arch``."""
    return None if name is None else find_arch(name)


def split(word: str, release: str | None) -> tuple[str, str | None]:
    """Return name and release of ``NAME[:RELEASE]`` and ``--release``.

    Raises:
        UsageError: they name different releases.
    """
    name, _, after = word.partition(":")
    if after and release and after != release:
        raise UsageError("two-releases", f"'{word}' and --release {release} name different releases")
    return name, after or release
