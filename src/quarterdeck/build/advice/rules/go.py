"""Go: the compiler makes programs for every platform by itself, as long as no C code takes part.

Sources: "Installing Go from source", section Optional environment variables (GOOS, GOARCH, GOARM); cmd/cgo: cgo is off by default when
cross-compiling; ``go install`` refuses GOBIN and changes its folder then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.exports import Build, doubtful_exports, option_values
from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, explained, move
from quarterdeck.build.advice.places import declare, insert_word
from quarterdeck.build.advice.programs import COMPILERS, packages
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command

_NAME = "go-cross"
_HARMLESS = {"build", "mod", "env", "version", "vet", "test", "fmt", "list", "clean", "work", "doc", "help", "telemetry"}
_CGO = re.compile(r"CGO_ENABLED=[\"']?1|CGO_C|CGO_LD|\bpkg-config\b|-linkmode[= ]external|-extld|-race\b|-buildmode=|\bxx-go\b")
_ALPINE = re.compile(r"(?:^|/)golang:\S*alpine")


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        builds = [build for build in commands(scene, family) if _is_build(build[2])]
        placed = scene.on_build_platform(family.root) and _into_target(scene, family)
        if builds and not _chooses_platform(scene, family, builds) and (placed or scene.movable(family)):
            yield _advice(scene, family, builds, placed=placed)


def _advice(scene: Scene, family: Family, builds: list[Build], *, placed: bool) -> Advice:
    doubts = (*doubts_of(scene, family, _known), *_doubts(scene, family, builds))
    names = _names(scene)
    edits = (*_declarations(scene, family, builds, names), *(_assign(command, names) for _, _, command in builds))
    line = builds[0][1].span.first
    label = scene.label(family.root)
    if not placed:
        message = f"stage {label} could cross-compile on the build platform: Go needs no emulator for it"
        why = f"'go build' in line {line} makes a program for any platform when GOOS and GOARCH name it"
        return move(scene, family, Move(rule=_NAME, message=message, why=why, doubts=doubts, edits=edits))
    possible = not any(doubt.blocks for doubt in doubts)
    return Advice(
        rule=_NAME,
        span=builds[0][1].span,
        stage=label,
        message=f"'go build' in stage {label} makes a program for the build platform, whatever the target is",
        why=explained("the stage is on the build platform, and nothing sets GOARCH", doubts),
        gain="the program is for the platform of its image",
        patch=edits if possible else None,
        safe=not doubts,
    )


def _into_target(scene: Scene, family: Family) -> bool:
    """Whether what the family makes goes into a stage for the target platform."""
    return bool(_takers(scene, family, build_platform=False))


def _takers(scene: Scene, family: Family, *, build_platform: bool) -> set[int]:
    takers = {
        user.index
        for graph in scene.graphs.values()
        for index in family.members
        for user in graph.users(index)
        if user.index not in family.members
    }
    return {index for index in takers if scene.on_build_platform(index) == build_platform}


def _is_build(command: Command) -> bool:
    return command.program == "go" and command.arguments[:1] == ("build",)


def _known(command: Command) -> bool:
    if command.program != "go" or not command.arguments:
        return False
    # A tool of the build itself, by its version; where its file is copied from the stage, the exports tell.
    is_tool = command.arguments[0] == "install" and any("@" in word for word in command.arguments)
    return command.arguments[0] in _HARMLESS or is_tool


def _chooses_platform(scene: Scene, family: Family, builds: list[Build]) -> bool:
    """Whether something decides on the platform already, rightly or not."""
    chosen = ("GOOS", "GOARCH", "GOARM")
    env = any(
        pair.name in chosen
        for index in family.members
        for instruction in scene.bodies[index]
        if instruction.keyword in ("ENV", "ARG")
        for pair in instruction.pairs
    )
    return env or any(re.search(r"\bGO(?:OS|ARCH|ARM)=", run.text + "".join(doc.content for doc in run.heredocs)) for _, run, _ in builds)


def _doubts(scene: Scene, family: Family, builds: list[Build]) -> Iterator[Doubt]:
    text = " ".join(instruction.source for index in family.members for instruction in scene.bodies[index])
    if evidence := _CGO.search(text):
        yield Doubt(f"'{evidence.group()}' says that C code takes part, which needs a C cross compiler", blocks=True)
    elif not _without_cgo(scene, family, builds):
        yield Doubt("nothing sets CGO_ENABLED=0, and cross-compiling turns cgo off: programs that need it would change")
    if scene.image(family.root) == "" or "golang" not in scene.image(family.root):
        yield Doubt("the stage does not stand on the golang image, so that its Go may be wrapped or old")
    if scene.on_build_platform(family.root) and _takers(scene, family, build_platform=True):
        yield Doubt("stages on the build platform take its programs too", blocks=True)
    if _arm(scene) and any(platform.variant and platform.architecture != "arm" for platform in scene.graphs):
        yield Doubt("GOARM would get the variant of a platform that is not arm", blocks=True)
    yield from doubtful_exports(scene, family, builds, outputs=lambda command: option_values(command, ["-o"]), maker="'go build'")


def _without_cgo(scene: Scene, family: Family, builds: list[Build]) -> bool:
    everywhere = any(
        pair.name == "CGO_ENABLED" and pair.value in ("0", '"0"', "'0'")
        for graph_stage in sorted(family.members)
        for instruction in scene.bodies[graph_stage]
        if instruction.keyword == "ENV" and instruction.span.first < builds[0][1].span.first
        for pair in instruction.pairs
    )
    each = all((word := command.assigned("CGO_ENABLED")) and word.text == "CGO_ENABLED=0" for _, _, command in builds)
    installed = [package for _, _, command in commands(scene, family) for package in packages(command)]
    no_compiler = bool(_ALPINE.search(scene.image(family.root))) and not any(COMPILERS.fullmatch(package) for package in installed)
    return everywhere or each or no_compiler


def _arm(scene: Scene) -> bool:
    return any(platform.architecture == "arm" for platform in scene.graphs)


def _names(scene: Scene) -> dict[str, str]:
    """Return Go's variables and what to set them to: GOARM is 7 where the variant is v7."""
    names = {"GOOS": "$TARGETOS", "GOARCH": "$TARGETARCH"}
    return {**names, "GOARM": "${TARGETVARIANT#v}"} if _arm(scene) else names


def _declarations(scene: Scene, family: Family, builds: list[Build], names: dict[str, str]) -> Iterator[Edit]:
    needed = tuple(re.sub(r"[^A-Z]", "", value) for value in names.values())
    for index in sorted(family.members):
        yield from declare(scene, index, [(run, needed) for stage, run, _ in builds if stage == index])


def _assign(command: Command, names: dict[str, str]) -> Edit:
    return insert_word(command.words[0], "".join(f"{name}={value} " for name, value in names.items()))


RULE = Rule(_NAME, "a stage that compiles Go could do so on the build platform, or does so without a target", _check)
