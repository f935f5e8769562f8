"""Where COPY --from and RUN --mount=from take files from: stages by name or number, build contexts, images.

Source: commands of dockerfile2llb in BuildKit 0.34: names are those of stages first, then of contexts, then of images; a stage
further down may be named too, as long as no circle comes of it. Variables are not replaced in either.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.model import Instruction
from quarterdeck.build.stages.model import Base, FromStage

Finder = Callable[[str], Base]
"""Returns what a name means; see :meth:`quarterdeck.build.stages.names.Names.find`."""

_NUMBER = re.compile(r"[0-9]+", re.ASCII)


def sources(instruction: Instruction, find: Finder, count: int) -> tuple[Base, ...]:
    """Return where the instruction takes files from besides the main context, each once.

    Args:
        instruction: any.
        find: what a name means.
        count: how many stages there are.

    Raises:
        SyntaxFault: a number of a stage that there is not, or a variable where none may be.
    """
    return tuple(dict.fromkeys(_resolve(name, find, count) for name in _names(instruction)))


def _names(instruction: Instruction) -> Iterator[str]:
    if instruction.keyword == "COPY":
        yield from (_constant(name, "COPY --from") for name in instruction.flag_values("from")[-1:] if name)
    elif instruction.keyword == "RUN":
        yield from (_constant(name, "RUN --mount=from") for value in instruction.flag_values("mount") for name in _mounted(value))


def _mounted(value: str) -> Iterator[str]:
    """Yield the ``from`` of a mount; its other fields are judged only where the stage is needed, so they may be anything here."""
    for fields in csv.reader([value]):
        for field in fields:
            key, _, name = field.partition("=")
            if key.strip().lower() == "from" and name:
                yield name


def _constant(name: str, where: str) -> str:
    if "$" in name:
        raise SyntaxFault(
            f"{where} takes no variables: '{name}'",
            hint=f"add a stage of its own, 'FROM {name} AS name' with the ARG above the first FROM, and take files from that",
        )
    return name


def _resolve(name: str, find: Finder, count: int) -> Base:
    if not _NUMBER.fullmatch(name):
        return find(name)
    index = int(name)
    if index >= count:
        numbers = "only stage 0" if count == 1 else f"stages 0 to {count - 1}"
        raise SyntaxFault(f"there is no stage {name}", reason=f"the file has {numbers}", hint="stages are counted from 0; better name them")
    return FromStage(index)
