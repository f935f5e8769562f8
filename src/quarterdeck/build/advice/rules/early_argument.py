"""``ARG TARGETARCH`` above steps that do not need it: each platform repeats them.

An ARG is part of the environment of each RUN after it, and so of its cache key (Dockerfile reference, "Impact on build caching").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.places import lines_before
from quarterdeck.build.advice.programs import FETCHERS, harmless
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.advice.shell import Command
from quarterdeck.build.advice.text import file_lines
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "early-argument"
_TARGET = {"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"}
_DEPENDENCIES = {
    "go": {"mod"},
    "npm": {"ci", "install", "i"},
    "yarn": {"install"},
    "pnpm": {"install", "i", "fetch"},
    "corepack": {"enable", "prepare"},
    "cargo": {"fetch", "vendor"},
    "dotnet": {"restore"},
}


def _check(scene: Scene) -> Iterator[Advice]:
    if len(scene.graphs) < 2:
        return
    for index in scene.used:
        if scene.on_build_platform(index):
            yield from _of_stage(scene, index)


def _of_stage(scene: Scene, index: int) -> Iterator[Advice]:
    body = scene.bodies[index]
    for number, instruction in enumerate(body):
        names = {pair.name for pair in instruction.pairs if pair.value is None}
        if instruction.keyword != "ARG" or not names or len(names) != len(instruction.pairs) or not names <= _TARGET:
            continue
        between, use = _until_use(scene, body[number + 1 :], names)
        if use is not None and any(one.keyword == "RUN" for one in between):
            yield _advice(scene, index, instruction, (between, use))


def _until_use(scene: Scene, following: tuple[Instruction, ...], names: set[str]) -> tuple[list[Instruction], Instruction | None]:
    """Return the instructions that do not need the variables, and the first that does or that may."""
    between: list[Instruction] = []
    for instruction in following:
        named = any(re.search(rf"\b{name}\b", instruction.source) for name in names)
        if named or (instruction.keyword == "RUN" and not _indifferent(scene, instruction)) or instruction.keyword == "SHELL":
            return between, instruction
        between.append(instruction)
    return between, None


def _indifferent(scene: Scene, run: Instruction) -> bool:
    """Whether a RUN is known not to look at the variables in its environment."""
    script = scene.script(run)
    return script.plain and all(_ignores_environment(command) for command in script.commands)


def _ignores_environment(command: Command) -> bool:
    return harmless(command) or command.program in FETCHERS or bool(_DEPENDENCIES.get(command.program, set()) & set(command.arguments[:1]))


def _advice(scene: Scene, index: int, instruction: Instruction, way: tuple[list[Instruction], Instruction]) -> Advice:
    between, use = way
    count = sum(one.keyword == "RUN" for one in between)
    rows = file_lines(scene.dockerfile)
    taken = [Edit(line, 0, len(rows[line - 1]) + 1, "") for line in range(instruction.span.first, instruction.span.last + 1)]
    names = " ".join(pair.name for pair in instruction.pairs)
    moved = lines_before(scene, use, [f"ARG {pair.name}" for pair in instruction.pairs])
    return Advice(
        rule=_NAME,
        span=instruction.span,
        stage=scene.label(index),
        message=f"ARG {names} stands above {count} RUN that {'does' if count == 1 else 'do'} not need it",
        why=f"from an ARG on, each platform has its own cache of the steps below; the first that needs it is in line {use.span.first}",
        gain=f"{count} RUN {'runs' if count == 1 else 'run'} once for all {len(scene.graphs)} platforms",
        patch=(*taken, *moved),
        safe=True,
    )


RULE = Rule(_NAME, "TARGETARCH or its like is declared above steps that are the same for all platforms", _check)
