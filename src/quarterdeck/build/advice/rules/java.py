"""Java: bytecode is the same for every platform; runtimes and native images are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, move
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Export, Family, Scene
from quarterdeck.build.advice.shell import Command

_NAME = "java-on-build-platform"
_TOOLS = {"mvn", "mvnw", "gradle", "gradlew", "javac", "ant", "sbt"}
_LAYERS = {"dependencies", "spring-boot-loader", "snapshot-dependencies", "application", "extracted"}
_FOLDERS = {"libs", "classes", "quarkus-app"}
_NATIVE = re.compile(r"native-image|nativeCompile|-Pnative\b|-Dnative\b|\bjlink\b|\bjpackage\b|os\.detected|os\.arch|\bjdeps\b")


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        builds = [run for _, run, command in commands(scene, family) if command.program in _TOOLS]
        if builds and scene.movable(family):
            yield _advice(scene, family, builds[0].span.first)


def _advice(scene: Scene, family: Family, line: int) -> Advice:
    change = Move(
        rule=_NAME,
        message=f"stage {scene.label(family.root)} could run on the build platform: bytecode is the same everywhere",
        why=f"line {line} makes class files and archives of them, and no programs for a processor",
        doubts=(*doubts_of(scene, family, _known), *_doubts(scene, family)),
        note=", and once for all platforms",
    )
    return move(scene, family, change)


def _known(command: Command) -> bool:
    unpacks = command.program == "java" and any(word.startswith("-Djarmode=") for word in command.arguments)
    return command.program in _TOOLS or unpacks or (command.program == "jar" and command.arguments[:1] in (("xf",), ("-xf",), ("xvf",)))


def _doubts(scene: Scene, family: Family) -> Iterator[Doubt]:
    text = " ".join(instruction.source for index in family.members for instruction in scene.bodies[index])
    if evidence := _NATIVE.search(text):
        yield Doubt(f"'{evidence.group()}' makes something for the platform it runs on", blocks=True)
    for export in scene.exports(family.members):
        if not _bytecode(export):
            yield Doubt(f"line {export.step.line} copies {export.path or 'from it'}, which may hold more than bytecode")


def _bytecode(export: Export) -> bool:
    path = PurePosixPath(export.path)
    archive = path.suffix in (".jar", ".war", ".ear")
    layer = path.name in _LAYERS
    folder = path.name in _FOLDERS and any(part in ("target", "build", "dependency") for part in path.parts)
    return archive or layer or folder or "dependency" in path.parts


RULE = Rule(_NAME, "a stage that builds Java could run once, on the build platform", _check)
