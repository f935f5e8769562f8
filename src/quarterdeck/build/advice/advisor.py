"""Asks all rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quarterdeck.build.advice.edits import apply
from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.rules import (
    c,
    cache_mount,
    copied_program,
    dotnet,
    download,
    early_argument,
    fetch_stage,
    fixed_argument,
    fixed_platform,
    go,
    java,
    javascript,
    machine_question,
    redundant_platform,
    rust,
    undeclared_argument,
)
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import StageGraph

RULES: tuple[Rule, ...] = (
    go.RULE,
    javascript.RULE,
    java.RULE,
    dotnet.RULE,
    rust.RULE,
    c.RULE,
    fetch_stage.RULE,
    fixed_platform.RULE,
    redundant_platform.RULE,
    undeclared_argument.RULE,
    fixed_argument.RULE,
    early_argument.RULE,
    cache_mount.RULE,
    download.RULE,
    machine_question.RULE,
    copied_program.RULE,
)
"""All rules, in the order in which the first of two that would change the same words wins."""

_ROUNDS = 8


def advise(dockerfile: Dockerfile, graphs: Mapping[Platform, StageGraph]) -> list[Advice]:
    """Return what could be better, in the order of the file.

    Args:
        dockerfile: the file whose stages these are.
        graphs: its stages for each target platform; without any there is no advice.
    """
    if not graphs:
        return []
    scene = Scene(dockerfile, graphs)
    advices = [advice for rule in RULES for advice in rule.check(scene)]
    return sorted(advices, key=lambda advice: advice.span.first)


def improve(dockerfile: Dockerfile, resolve: Callable[[Dockerfile], Mapping[Platform, StageGraph]]) -> Dockerfile:
    """Return the Dockerfile with all safe patches, also those that others had kept away or made possible.

    ``resolve`` gives the stages of a changed Dockerfile for the same platforms as before.
    """
    for _ in range(_ROUNDS):
        text = apply(dockerfile, advise(dockerfile, resolve(dockerfile)))
        if text == dockerfile.text:
            break
        dockerfile = parse(text, name=dockerfile.name)
    return dockerfile
