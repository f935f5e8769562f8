"""``uname -m`` on the build platform: the answer is the builder's processor, not the target's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.programs import asks_machine
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.rules.undeclared_argument import used_text
from quarterdeck.build.advice.scene import Scene

_NAME = "machine-question"
_TARGET = re.compile(r"\bTARGET(?:PLATFORM|ARCH|VARIANT)\b")


def _check(scene: Scene) -> Iterator[Advice]:
    for index in scene.used:
        if not scene.on_build_platform(index) or not scene.exports(_with_descendants(scene, index)):
            continue
        for run in scene.runs(index):
            if asks_machine(run) and not _TARGET.search(used_text(run)):
                yield Advice(
                    rule=_NAME,
                    span=run.span,
                    stage=scene.label(index),
                    message="this asks the machine which processor it has, and gets the build platform's",
                    why=(
                        f"stage {scene.label(index)} runs on the build platform while others copy from it; "
                        "declare ARG TARGETARCH and use it, with a 'case' where names differ (amd64 is x86_64, arm64 is aarch64)"
                    ),
                    gain="the right files for each platform",
                )


def _with_descendants(scene: Scene, index: int) -> frozenset[int]:
    return next((family.members for family in scene.families if index in family.members), frozenset({index}))


RULE = Rule(_NAME, "a stage on the build platform asks for its processor where the target's is meant", _check)
