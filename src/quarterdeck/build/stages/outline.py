"""The stages of a file as they are written: FROM lines with their variables expanded, and the instructions below them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quarterdeck.build.dockerfile.errors import SyntaxFault, located
from quarterdeck.build.dockerfile.expand import expand
from quarterdeck.build.dockerfile.model import Dockerfile, Instruction, Span
from quarterdeck.build.platform import Platform
from quarterdeck.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9._-]*", re.ASCII)


@dataclass(frozen=True)
class Outline:
    """One stage as written: ``base`` and ``platform`` with their variables expanded, ``name`` in lower case and maybe empty."""

    index: int
    name: str
    base: str
    platform: Platform | None
    start: Instruction
    instructions: tuple[Instruction, ...]

    @property
    def written(self) -> str:
        """What FROM names, with its variables."""
        return self.start.arguments[0]

    @property
    def span(self) -> Span:
        """From FROM to the end of the last instruction."""
        return Span(self.start.span.first, (self.instructions or (self.start,))[-1].span.last)

    @property
    def label(self) -> str:
        """The name, or what BuildKit calls a stage without one."""
        return self.name or f"stage-{self.index}"


def split(dockerfile: Dockerfile) -> tuple[list[Instruction], list[list[Instruction]]]:
    """Return what stands above the first FROM, and each FROM with what stands below it."""
    above: list[Instruction] = []
    stages: list[list[Instruction]] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            stages.append([instruction])
        else:
            (stages[-1] if stages else above).append(instruction)
    return above, stages


def outlines(dockerfile: Dockerfile, stages: list[list[Instruction]], variables: Mapping[str, str]) -> Iterator[Outline]:
    """Yield the stages; ``variables`` is the global scope.

    Raises:
        DockerfileError: a FROM line makes no sense.
    """
    for index, (start, *rest) in enumerate(stages):
        with located(dockerfile.name, start.span.first):
            base = _base(start, variables, dockerfile.directives.escape)
            platform = _platform(start, variables, dockerfile.directives.escape)
            yield Outline(index, _name(start), base, platform, start, tuple(rest))


def _base(start: Instruction, variables: Mapping[str, str], escape: str) -> str:
    written = start.arguments[0] if start.arguments else ""
    base = expand(written, variables, escape=escape)
    if not base:
        reason = f"'{written}' is empty once its variables are replaced" if written else "FROM names no image"
        raise SyntaxFault(
            "FROM needs an image or a stage",
            reason=reason,
            hint="give the ARG above the first FROM a default, or pass --build-arg; ARGs inside stages are not seen here",
        )
    return base


def _platform(start: Instruction, variables: Mapping[str, str], escape: str) -> Platform | None:
    written = start.flag("platform")
    if written is None:
        return None
    expanded = expand(written, variables, escape=escape)
    try:
        return Platform.parse(expanded)
    except UsageError as error:
        reason = f"it was written '{written}'" if expanded != written else ""
        raise SyntaxFault(f"--platform: {error.message}", reason=reason, hint=error.hint) from None


def _name(start: Instruction) -> str:
    """Return the stage's name in lower case, as BuildKit compares them."""
    words = start.arguments
    if len(words) == 1:
        return ""
    if len(words) != 3 or words[1].lower() != "as":
        raise SyntaxFault("FROM takes an image, and a name behind AS", hint="write: FROM image AS name")
    name = words[2].lower()
    if not _NAME.fullmatch(name):
        raise SyntaxFault(f"'{words[2]}' is no name for a stage", hint="begin with a letter; letters, digits, '_', '-' and '.' may follow")
    return name
