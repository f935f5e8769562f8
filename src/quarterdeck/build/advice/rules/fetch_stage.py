"""Stages that only fetch: what comes from the network does not depend on who fetches it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, move
from quarterdeck.build.advice.programs import (
    FETCHERS,
    PACKAGE_FOLDERS,
    SYSTEM_FOLDERS,
    below,
    harmless,
    manages_packages,
    neutral_file,
    packages,
)
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command

_NAME = "fetch-on-build-platform"
_FETCH_PACKAGES = {
    "ca-certificates",
    "tar",
    "gzip",
    "bzip2",
    "xz",
    "xz-utils",
    "zstd",
    "unzip",
    "zip",
    "curl",
    "wget",
    "git",
    "gnupg",
    "openssl",
    "coreutils",
}
_DISTRIBUTIONS = re.compile(r"(?:^|/)(?:debian|ubuntu|alpine|busybox|fedora|buildpack-deps|curl|git)(?:[:@-][^/]*)?$")
_TOOLS = FETCHERS | {"git", "gpg"}


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        found = [command for _, _, command in commands(scene, family)]
        only_fetches = bool(found) and any(command.program in _TOOLS for command in found)
        if only_fetches and scene.movable(family) and not any(_more(command) for command in found):
            yield _advice(scene, family)


def _more(command: Command) -> bool:
    """Whether the stage is no mere fetching stage: something in it is neither a fetcher nor a tool for files."""
    return not (command.program in _TOOLS or harmless(command))


def _advice(scene: Scene, family: Family) -> Advice:
    change = Move(
        rule=_NAME,
        message=f"stage {scene.label(family.root)} only fetches and unpacks, and could do so on the build platform",
        why="what comes from the network does not depend on who fetches it",
        doubts=(*doubts_of(scene, family, lambda command: command.program in _TOOLS), *_doubts(scene, family)),
    )
    return move(scene, family, change)


def _doubts(scene: Scene, family: Family) -> Iterator[Doubt]:
    if not _DISTRIBUTIONS.search(scene.image(family.root)):
        yield Doubt("the image may bring files of its own that are copied")
    for _, run, command in commands(scene, family):
        if strange := [name for name in packages(command) if name not in _FETCH_PACKAGES]:
            yield Doubt(f"line {run.span.first} installs {strange[0]}, whose files may be copied")
    installs = any(manages_packages(command) for _, _, command in commands(scene, family))
    for export in scene.exports(family.members):
        path = re.sub(r"/[^/]*[*?\[].*", "", export.path) or "/"
        whole = path in SYSTEM_FOLDERS and path != "/opt"
        from_image = whole or any(below(path, folder) for folder in PACKAGE_FOLDERS)
        if from_image and not neutral_file(path) and not _written(scene, family, path):
            source = "a package" if installs else "the image"
            yield Doubt(f"line {export.step.line} copies {path or 'from it'}, which {source} may have brought", blocks=True)


def _written(scene: Scene, family: Family, path: str) -> bool:
    """Whether a fetcher writes exactly this file."""
    word = re.compile(rf"(?:-o|-O|--output|--output-document)[ =]{re.escape(path)}(?:\s|$)")
    return any(command.program in FETCHERS and word.search(" ".join(command.arguments)) for _, _, command in commands(scene, family))


RULE = Rule(_NAME, "an emulated stage that only fetches could do so on the build platform", _check)
