"""A program compiled for one platform without a word about the target, and copied into the image of another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.moving import commands
from quarterdeck.build.advice.programs import neutral_file
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.rules.undeclared_argument import used_text
from quarterdeck.build.advice.scene import Export, Family, Scene

_NAME = "program-of-other-platform"
_COMPILERS = re.compile(
    r"gcc|cc|g\+\+|c\+\+|clang(?:\+\+)?|make|cmake|ninja|meson|cargo|rustc|ghc|cabal|stack|nim|zig|swift|swiftc|crystal|dmd|fpc|opam|dune"
)
_TARGET = re.compile(r"\bTARGET(?:PLATFORM|ARCH|VARIANT)\b|\bxx-|--target\b|-linux-gnu|-linux-musl|\bCROSS_COMPILE\b")


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        flag = scene.bodies[family.root][0].flag("platform")
        if not flag or _names_target(scene, family):
            continue
        compiled = [run for _, run, command in commands(scene, family) if _COMPILERS.fullmatch(command.program)]
        exports = [export for export in scene.exports(family.members) if _mixes(scene, family, export) and not neutral_file(export.path)]
        if compiled and exports:
            yield Advice(
                rule=_NAME,
                span=exports[0].step.instruction.span,
                stage=scene.label(family.root),
                message=f"{exports[0].path or 'what this copies'} was compiled in stage {scene.label(family.root)}, which is for {flag}",
                why=(
                    f"line {compiled[0].span.first} compiles on --platform={flag} and nothing there names the target; "
                    "cross-compile by TARGETARCH, or take the --platform away"
                ),
                gain="the programs are for the platform of their image",
            )


def _names_target(scene: Scene, family: Family) -> bool:
    return any(_TARGET.search(used_text(instruction)) for index in family.members for instruction in scene.bodies[index][1:])


def _mixes(scene: Scene, family: Family, export: Export) -> bool:
    """Whether the stage that takes the files is for another platform than the family."""
    return any(
        step.instruction is export.step.instruction and stage.platform != graph.stages[family.root].platform
        for index in scene.used
        for graph, stage in scene.uses(index)
        for step in stage.steps
    )


RULE = Rule(_NAME, "an image gets a program that was compiled for another platform", _check)
