"""Options of ``qd build`` alone; those that ``docker buildx build`` has too mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.errors import UsageError


class NetworkMode(StrEnum):
    """What every engine knows; other networks of one engine can be named after ``--``."""

    DEFAULT = "default"
    NONE = "none"
    HOST = "host"


Extra = Annotated[list[str] | None, typer.Argument(metavar="-- ARGUMENT", help="Arguments for the engine, untouched.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", metavar="NAME[:TAG]", help="Name of the image. Repeatable.")]
Secrets = Annotated[list[str] | None, typer.Option("--secret", metavar="id=NAME,src=FILE", help="A secret for RUN --mount=type=secret.")]
Ssh = Annotated[
    list[str] | None, typer.Option("--ssh", metavar="default|ID[=SOCKET]", help="An SSH agent or key for RUN --mount=type=ssh.")
]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="A label of the image. Repeatable.")]
Annotations = Annotated[
    list[str] | None,
    typer.Option(
        "--annotation", metavar="[index:]NAME=VALUE", help="An annotation of each image, or with 'index:' of the whole. Repeatable."
    ),
]
CacheFrom = Annotated[list[str] | None, typer.Option("--cache-from", metavar="CACHE", help="A cache to read; each platform reads its own.")]
CacheTo = Annotated[
    list[str] | None, typer.Option("--cache-to", metavar="CACHE", help="A cache to write; each platform writes one of its own.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Run every step again.")]
Pull = Annotated[bool, typer.Option("--pull", help="Look for newer base images.")]
Network = Annotated[NetworkMode | None, typer.Option("--network", help="Network of all RUN.  [default: the engine's]")]
AddHosts = Annotated[list[str] | None, typer.Option("--add-host", metavar="NAME:ADDRESS", help="A line for /etc/hosts. Repeatable.")]
Push = Annotated[bool, typer.Option("--push", help="Push the image under all its names.")]
Load = Annotated[bool, typer.Option("--load", help="Load the image into this host's engine.")]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|type=...",
        help="Where the image goes: a file (an OCI archive), or type=oci,dest=FILE; type=docker[,dest=FILE]; type=registry. Repeatable.",
    ),
]
IidFile = Annotated[Path | None, typer.Option("--iidfile", metavar="FILE", help="Write the image's digest to this file.")]
MetadataFile = Annotated[
    Path | None, typer.Option("--metadata-file", metavar="FILE", help="Write all about the build, for every platform, as JSON.")
]
Provenance = Annotated[
    str | None, typer.Option("--provenance", metavar="true|false|mode=...", help="Provenance of each image.  [default: the engine's]")
]
Sbom = Annotated[str | None, typer.Option("--sbom", metavar="true|...", help="A list of what is in each image.")]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="buildx|docker|buildah|podman", help="The engine to build with, and no other.  [default: the first that can]"
    ),
]
StepTimeout = Annotated[
    float | None,
    typer.Option(min=1, metavar="SECONDS", help="End a build that says nothing for so long, and say whether an emulator hangs."),
]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Build the other platforms on when one fails.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Do not look whether every program in the image is for its platform.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what went wrong; print the image's digest.")]

_INDEX = "index:"
_MANIFEST = "manifest:"


def pairs(words: Sequence[str], name: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` words by name.

    Raises:
        UsageError: a word has no name.
    """
    found: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition("=")
        if not key:
            raise UsageError("invalid-option", f"{name} {word}: there is no name before '='", hint="write NAME=VALUE")
        found[key] = value
    return found


def annotations_of(words: Sequence[str], *, of_index: bool) -> dict[str, str]:
    """Return the annotations of the index, or those of the images in it.

    Raises:
        UsageError: a word is no ``NAME=VALUE``.
    """
    for word in words:
        if "=" not in word:
            raise UsageError("invalid-option", f"--annotation {word} has no value", hint="write NAME=VALUE")
    chosen = [word.removeprefix(_INDEX).removeprefix(_MANIFEST) for word in words if word.startswith(_INDEX) is of_index]
    return pairs(chosen, "--annotation")
