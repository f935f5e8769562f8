""".NET: the SDK publishes for any platform; under QEMU it is not supported at all.

Sources: .NET's "Improving multi-platform container support" (``-a`` takes Docker's names since SDK 7.0.300); "dotnet publish",
``--arch``; dotnet/dotnet-docker's samples, whose form this is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.exports import Build, doubtful_exports, option_values
from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, move
from quarterdeck.build.advice.places import after_word, declare
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command

_NAME = "dotnet-cross"
_VERBS = ("restore", "build", "publish")
_SDK = re.compile(r"(?:^|/)dotnet(?:/nightly)?/sdk:(\d+)\.")
_FIRST_SAFE = 8
"""Since SDK 8 a runtime identifier no longer makes a program carry its own runtime by itself."""
_ARCHITECTURES = {"amd64", "arm64", "arm"}
_CHOOSES = re.compile(
    r"(?:^|\s)(?:-r|--runtime|-a|--arch|--os|--ucr|--use-current-runtime)(?:[\s=]|$)|RuntimeIdentifier|PublishAot|NativeAot"
)


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        builds = [build for build in commands(scene, family) if _is_build(build[2])]
        publishes = any(command.arguments[0] == "publish" for _, _, command in builds)
        if publishes and scene.movable(family):
            yield _advice(scene, family, builds)


def _advice(scene: Scene, family: Family, builds: list[Build]) -> Advice:
    change = Move(
        rule=_NAME,
        message=f"stage {scene.label(family.root)} could publish on the build platform: the .NET SDK does not support emulation",
        why=f"'dotnet publish -a $TARGETARCH' makes the same for any platform, from line {builds[0][1].span.first} on",
        doubts=(*doubts_of(scene, family, _is_build), *_doubts(scene, family, builds)),
        edits=(*_declarations(scene, family, builds), *(after_word(command.words[1], " -a $TARGETARCH") for _, _, command in builds)),
        note=", where the SDK often crashes",
    )
    return move(scene, family, change)


def _is_build(command: Command) -> bool:
    return command.program == "dotnet" and command.arguments[:1] != () and command.arguments[0] in _VERBS


def _doubts(scene: Scene, family: Family, builds: list[Build]) -> Iterator[Doubt]:
    for _, run, _ in builds:
        if evidence := _CHOOSES.search(run.text):
            yield Doubt(f"line {run.span.first} chooses a runtime with '{evidence.group().strip()}'", blocks=True)
    version = _SDK.search(scene.image(family.root))
    if version is None or int(version.group(1)) < _FIRST_SAFE:
        yield Doubt(f"the stage does not stand on an SDK image of .NET {_FIRST_SAFE} or later")
    text = " ".join(instruction.source for index in family.members for instruction in scene.bodies[index])
    if ".sln" in text or "proj" not in text:
        yield Doubt("no project is named, and a solution cannot be built for a runtime")
    if strange := sorted({platform.architecture for platform in scene.graphs} - _ARCHITECTURES):
        yield Doubt(f"Microsoft publishes no runtime for {', '.join(strange)}")
    yield from doubtful_exports(
        scene,
        family,
        builds,
        outputs=lambda command: option_values(command, ["-o", "--output"]),
        maker="'dotnet publish -o'",
        sources=False,
    )


def _declarations(scene: Scene, family: Family, builds: list[Build]) -> Iterator[Edit]:
    for index in sorted(family.members):
        yield from declare(scene, index, [(run, ("TARGETARCH",)) for stage, run, _ in builds if stage == index])


RULE = Rule(_NAME, "a stage that publishes .NET could do so on the build platform", _check)
