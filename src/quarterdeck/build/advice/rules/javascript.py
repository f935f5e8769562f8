"""JavaScript front ends: what npm, yarn and pnpm build for browsers is the same for every platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, move
from quarterdeck.build.advice.programs import COMPILERS, SYSTEM_FOLDERS, below, packages
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command

_NAME = "javascript-on-build-platform"
_MANAGERS = {"npm", "yarn", "pnpm"}
_HARMLESS = _MANAGERS | {"corepack", "node"}
_TOOLS = {
    "tsc",
    "vite",
    "webpack",
    "rollup",
    "esbuild",
    "ng",
    "vue-tsc",
    "vue-cli-service",
    "react-scripts",
    "astro",
    "parcel",
    "sass",
    "gulp",
}
_RUNNERS = {"npx", "pnpx"}
_BUILD_WORDS = re.compile(r"build(?:[:-].*)?|compile|dist|bundle|generate")
_OUTPUTS = {"dist", "build", "out", "public", "www", "_site", "static", "assets", "bundle"}
_NATIVE = re.compile(r"node-gyp|\bprebuild|\bpkg\b|\bnexe\b|electron|--compile\b|\bsharp\b|better-sqlite3|\bbcrypt\b|\bnode-sass\b")
_RUNTIME = re.compile(r"(?:^|[/-])(?:node|nodejs|bun|deno)\d*(?:[:@-]|$)")


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        builds = [run for _, run, command in commands(scene, family) if _is_build(command)]
        if builds and scene.movable(family):
            yield _advice(scene, family, builds[0].span.first)


def _advice(scene: Scene, family: Family, line: int) -> Advice:
    change = Move(
        rule=_NAME,
        message=f"stage {scene.label(family.root)} could run on the build platform: what it builds is the same everywhere",
        why=f"line {line} makes scripts, styles and pages, and no programs for a processor",
        doubts=(*doubts_of(scene, family, _known), *_doubts(scene, family)),
        note=", and once for all platforms",
    )
    return move(scene, family, change)


def _is_build(command: Command) -> bool:
    words = command.arguments
    if command.program in _MANAGERS:
        return any(_BUILD_WORDS.fullmatch(word) for word in words[:3])
    return command.program in _TOOLS or (command.program in _RUNNERS and any(word in _TOOLS for word in words))


def _known(command: Command) -> bool:
    return command.program in _HARMLESS or _is_build(command)


def _doubts(scene: Scene, family: Family) -> Iterator[Doubt]:
    text = " ".join(instruction.source for index in family.members for instruction in scene.bodies[index])
    if evidence := _NATIVE.search(text):
        yield Doubt(f"'{evidence.group()}' makes or takes programs for the platform it runs on", blocks=True)
    for _, run, command in commands(scene, family):
        if any(COMPILERS.fullmatch(package) or package.startswith("python") for package in packages(command)):
            yield Doubt(f"line {run.span.first} installs a compiler, as native addons need it", blocks=True)
    if not re.search(r"(?:^|/)node[:@]|(?:^|/)node$|/nodejs", scene.image(family.root)):
        yield Doubt("the stage does not stand on the node image")
    for taker in _runtimes(scene, family):
        yield Doubt(f"stage {taker} may run what was built with Node.js, and native addons could be in it")
    for export in scene.exports(family.members):
        parts = _below_workdir(scene, family, export.path)
        if "node_modules" in parts or ".next" in parts or ".output" in parts:
            yield Doubt(f"line {export.step.line} copies {export.path}, in which native addons may be", blocks=True)
        elif not any(part in _OUTPUTS for part in parts) or export.path in SYSTEM_FOLDERS:
            yield Doubt(f"line {export.step.line} copies {export.path or 'from it'}, which may hold more than what was built", blocks=True)


def _runtimes(scene: Scene, family: Family) -> Iterator[str]:
    """Return the stages for the target platform that take the output to run it, rather than to hand it to browsers."""
    takers = {user.index for graph in scene.graphs.values() for index in family.members for user in graph.users(index)} - family.members
    for index in sorted(takers):
        text = " ".join(instruction.source for instruction in scene.bodies[index])
        if _RUNTIME.search(scene.image(index)) or re.search(r"\b(?:node|nodejs|npm|yarn|pnpm|bun|deno)\b", text):
            yield scene.label(index)


def _below_workdir(scene: Scene, family: Family, path: str) -> tuple[str, ...]:
    """Return the parts of a path, without those of the folder in which the build runs."""
    for index, run, command in commands(scene, family):
        here = str(scene.folder(run, index))
        if _is_build(command) and here != "/" and below(path, here):
            return PurePosixPath(path).relative_to(here).parts
    return PurePosixPath(path).parts


RULE = Rule(_NAME, "a stage that builds a JavaScript front end could run once, on the build platform", _check)
