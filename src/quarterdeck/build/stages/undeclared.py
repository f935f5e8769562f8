"""Build arguments that no ARG takes: mostly slips of the pen, of which builders warn at the end, when the time is spent."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from quarterdeck.build.dockerfile.model import Dockerfile, Instruction
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.platform_arguments import PROXIES, platform_arguments

# Arguments that BuildKit itself listens to ("BuildKit built-in build args" of the Dockerfile reference).
_BUILDKIT = ("BUILDKIT_", "SOURCE_DATE_EPOCH")


def undeclared(dockerfile: Dockerfile, given: Iterable[str]) -> Iterator[str]:
    """Yield a line for people for each build argument that nothing in the file declares."""
    declared = {pair.name for one in _all(dockerfile.instructions) if one.keyword == "ARG" for pair in one.pairs}
    any_platform = Platform("linux", "amd64")
    known = declared | PROXIES | platform_arguments(any_platform, any_platform, None).keys()
    for name in given:
        if name not in known and not name.startswith(_BUILDKIT):
            similar = difflib.get_close_matches(name, declared, n=1)
            meant = f"; did you mean {similar[0]}?" if similar else ""
            yield f"no ARG declares the build argument {name}{meant}"


def _all(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    for instruction in instructions:
        yield instruction
        if instruction.trigger:
            yield instruction.trigger
