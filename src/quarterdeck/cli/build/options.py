"""Arguments and options that the commands about image builds share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from quarterdeck.build.nodes.choice import Emulation as EmulationPolicy
from quarterdeck.errors import UsageError

Context = Annotated[
    str,
    typer.Argument(metavar="CONTEXT", help="Folder with the files of the build; '-' reads a Dockerfile alone from standard input."),
]
File = Annotated[
    str | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="The Dockerfile; '-' reads it from standard input.  [default: CONTEXT/Dockerfile, or Containerfile]",
    ),
]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", metavar="PLATFORM", help="Target platforms; commas separate, repeatable.  [default: this host's]"),
]
Stage = Annotated[str | None, typer.Option("--target", metavar="STAGE", help="The stage to build, by name or number.  [default: the last]")]
BuildArgs = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="NAME[=VALUE]", help="Value of an ARG; without '=' that of the environment. Repeatable."),
]
BuildContexts = Annotated[
    list[str] | None,
    typer.Option("--build-context", metavar="NAME=VALUE", help="What stands in for the image or stage NAME. Repeatable."),
]
Emulation = Annotated[
    EmulationPolicy,
    typer.Option("--emulation", help="What is done about steps that would be emulated: refuse, say so, or accept in silence."),
]
NodeNames = Annotated[
    list[str] | None,
    typer.Option("--nodes", metavar="NODE", help="Nodes to choose from; commas separate, repeatable.  [default: those in use]"),
]


def build_arguments(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return build arguments by name. A word without ``=`` takes its value from the environment, and counts for nothing when it has none.

    Raises:
        UsageError: a word has no name.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise UsageError("invalid-build-arg", f"--build-arg {word}: there is no name before '='", hint="write NAME=VALUE")
        if equals:
            found[name] = value
        elif name in environment:
            found[name] = environment[name]
    return found


def build_contexts(words: Sequence[str]) -> dict[str, str]:
    """Return named build contexts.

    Raises:
        UsageError: a word is no ``NAME=VALUE``.
    """
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if not name or not value:
            raise UsageError(
                "invalid-build-context", f"--build-context {word} is no NAME=VALUE", hint="VALUE is a folder, or docker-image://REFERENCE"
            )
        found[name] = value
    return found


def node_names(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names of nodes, each once."""
    return tuple(dict.fromkeys(name.strip() for word in words for name in word.split(",") if name.strip()))
