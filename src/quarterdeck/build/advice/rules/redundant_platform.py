"""``FROM --platform=$TARGETPLATFORM``: what would be so anyway. BuildKit's linter has it as RedundantTargetPlatform.

Not quite so for buildah before 1.40, where the ``--platform`` of one FROM holds for those below it too (buildah issue 5968; seen with
1.28): behind a stage with another platform the words are needed there.
"""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.places import platform_flag
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.stages.model import FromStage

_NAME = "redundant-platform"
_WHY = "a stage is for the target platform unless told otherwise"
_PLAIN = ("$TARGETPLATFORM", "${TARGETPLATFORM}")


def _check(scene: Scene) -> Iterator[Advice]:
    if _redefined(scene):
        return
    for index in scene.used:
        alone = all(not isinstance(stage.base, FromStage) for _, stage in scene.uses(index))
        edit = platform_flag(scene, index, "")
        needed = any(body[0].flag("platform") not in (None, *_PLAIN) for body in scene.bodies[:index])
        if scene.bodies[index][0].flag("platform") in _PLAIN and alone and edit and not needed:
            yield Advice(
                rule=_NAME,
                span=scene.bodies[index][0].span,
                stage=scene.label(index),
                message="--platform=$TARGETPLATFORM says what holds without it",
                why=_WHY if index == 0 else f"{_WHY}; not applied by itself: old buildahs need it once a stage above gets a platform",
                gain="less to read, and a file that builders without the variable take too",
                patch=(edit,),
                safe=index == 0,
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
