"""``FROM --platform=$TARGETPLATFORM``: what would be so anyway. BuildKit's linter has it as RedundantTargetPlatform."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.places import platform_flag
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.stages.model import FromStage

_NAME = "redundant-platform"
_PLAIN = ("$TARGETPLATFORM", "${TARGETPLATFORM}")


def _check(scene: Scene) -> Iterator[Advice]:
    if _redefined(scene):
        return
    for index in scene.used:
        alone = all(not isinstance(stage.base, FromStage) for _, stage in scene.uses(index))
        edit = platform_flag(scene, index, "")
        if scene.bodies[index][0].flag("platform") in _PLAIN and alone and edit:
            yield Advice(
                rule=_NAME,
                span=scene.bodies[index][0].span,
                stage=scene.label(index),
                message="--platform=$TARGETPLATFORM says what holds without it",
                why="a stage is for the target platform unless told otherwise",
                gain="less to read, and a file that builders without the variable take too",
                patch=(edit,),
                safe=True,
            )


def _redefined(scene: Scene) -> bool:
    """Whether an ARG before the first FROM gives the variable another value."""
    return any(
        pair.name == "TARGETPLATFORM" and pair.value is not None
        for instruction in scene.dockerfile.instructions
        if instruction.keyword == "ARG"
        for pair in instruction.pairs
    )


RULE = Rule(_NAME, "a FROM names the target platform, which it has anyway", _check)
