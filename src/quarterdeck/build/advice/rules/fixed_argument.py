"""``ARG TARGETARCH=amd64`` in a stage: the default wins over the builder's value, for all platforms.

Source: BuildKit's frontend/dockerfile/dockerfile2llb/convert.go, dispatchArg: only an ARG without a default takes the global value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.places import PLATFORM_NAMES
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.advice.text import flat_instruction
from quarterdeck.build.dockerfile.model import Instruction, Pair

_NAME = "fixed-argument"


def _check(scene: Scene) -> Iterator[Advice]:
    for index in scene.used:
        for instruction in scene.bodies[index]:
            for pair in instruction.pairs if instruction.keyword == "ARG" else ():
                if pair.name in PLATFORM_NAMES and pair.value is not None:
                    yield _advice(scene, index, instruction, pair)


def _advice(scene: Scene, index: int, instruction: Instruction, pair: Pair) -> Advice:
    edit = _without_default(scene, instruction, pair.name)
    return Advice(
        rule=_NAME,
        span=instruction.span,
        stage=scene.label(index),
        message=f"ARG {pair.name}={pair.value} is {pair.value} for every platform: the default takes the place of the builder's value",
        why="only an ARG without a default gets the value; not applied by itself: builders without the variable would get an empty one",
        gain="the stage knows the platform that it is for",
        patch=(edit,) if edit else None,
    )


def _without_default(scene: Scene, instruction: Instruction, name: str) -> Edit | None:
    flat = flat_instruction(scene.dockerfile, instruction)
    found = re.search(rf"(?<=\s){name}(=\S*)", flat.text)
    if not found:
        return None
    word = flat.word(found.start(1), found.end(1))
    return Edit(word.line, word.column, word.end, "") if word.end >= 0 else None


RULE = Rule(_NAME, "an ARG gives TARGETARCH or its like a value of its own", _check)
