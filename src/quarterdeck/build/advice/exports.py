"""Whether what is copied out of a stage was made there by a compiler that was told the target, or is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

from quarterdeck.build.advice.moving import Doubt
from quarterdeck.build.advice.programs import SYSTEM_FOLDERS, below, neutral_file
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command
from quarterdeck.build.dockerfile.model import Instruction

Build = tuple[int, Instruction, Command]
"""A compiler's command with its stage and its RUN."""


def option_values(command: Command, names: Iterable[str]) -> Iterator[str]:
    """Return the values of options written as ``-o VALUE`` or ``-o=VALUE``."""
    words = command.arguments
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name in names and (equals or following):
            yield value if equals else following


def doubtful_exports(
    scene: Scene, family: Family, builds: list[Build], *, outputs: Callable[[Command], Iterable[str]], maker: str, sources: bool = True
) -> Iterator[Doubt]:
    """Return a doubt for each file copied out of the family that none of its compilers made.

    ``outputs`` gives what a command writes, relative to its working folder; ``sources`` says that all in the working folder is either
    source or made by the compiler.
    """
    made, folders = set(), set()
    for index, run, command in builds:
        here = scene.folder(run, index)
        made |= {str(here / word) for word in outputs(command)}
        folders |= {str(here)} if sources else set()
    for export in scene.exports(family.members):
        if not (_is_made(export.path, made) or _in_sources(export.path, folders) or neutral_file(export.path)):
            yield Doubt(f"line {export.step.line} copies {export.path or 'from it'}, which {maker} did not make")


def _is_made(path: str, made: set[str]) -> bool:
    return any(
        below(path, output) or (below(output, path) and path not in SYSTEM_FOLDERS) for output in made if output not in SYSTEM_FOLDERS
    )


def _in_sources(path: str, folders: set[str]) -> bool:
    return any(below(path, folder) for folder in folders if folder not in SYSTEM_FOLDERS)
