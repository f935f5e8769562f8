"""Edits at the places that rules change: before an instruction, in a FROM, in front of a word."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quarterdeck.build.advice.model import Edit
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.advice.text import Word, file_lines, flat_instruction
from quarterdeck.build.dockerfile.model import Instruction

_COMMENT = re.compile(r"[ \t]*#")
PLATFORM_NAMES = tuple(f"{side}{what}" for side in ("TARGET", "BUILD") for what in ("PLATFORM", "OS", "ARCH", "VARIANT"))
"""The variables that BuildKit and buildah know by themselves; inside a stage only after an ARG that names them.

Source: Dockerfile reference, "Automatic platform ARGs in the global scope".
"""


def insert_word(word: Word, text: str) -> Edit:
    """Return the edit that puts text in front of a word."""
    return Edit(word.line, word.column, word.column, text)


def replace_word(word: Word, text: str) -> Edit | None:
    """Return the edit that replaces a word, None when it goes over more than one line."""
    return Edit(word.line, word.column, word.end, text) if word.end >= 0 else None


def after_word(word: Word, text: str) -> Edit | None:
    """Return the edit that puts text behind a word, None when it goes over more than one line."""
    return Edit(word.line, word.end, word.end, text) if word.end >= 0 else None


def lines_before(scene: Scene, instruction: Instruction, lines: Iterable[str]) -> tuple[Edit, ...]:
    """Return the edit that puts lines before an instruction and the comment right above it, with the same indentation."""
    rows = file_lines(scene.dockerfile)
    line = instruction.span.first
    indentation = re.match(r"[ \t]*", rows[line - 1])
    while line > 1 and _COMMENT.match(rows[line - 2]):
        line -= 1
    text = "".join(f"{indentation.group() if indentation else ''}{one}\n" for one in lines)
    return (Edit(line, 0, 0, text),) if text else ()


def declared(scene: Scene, index: int, before: Instruction) -> set[str]:
    """Return the names that ARG or ENV of the stage itself have declared before an instruction."""
    names: set[str] = set()
    for instruction in scene.bodies[index]:
        if instruction is before:
            break
        if instruction.keyword in ("ARG", "ENV"):
            names |= {pair.name for pair in instruction.pairs}
    return names


def declare(scene: Scene, index: int, uses: Iterable[tuple[Instruction, tuple[str, ...]]]) -> tuple[Edit, ...]:
    """Return the edits that declare names with ARG right before the instruction of the stage that uses them first.

    ``uses`` are instructions with the names that each needs, in the order of the file.
    """
    edits: list[Edit] = []
    known: set[str] = set()
    for instruction, names in uses:
        missing = [name for name in names if name not in known | declared(scene, index, instruction)]
        known.update(missing)
        edits += lines_before(scene, instruction, [f"ARG {name}" for name in missing])
    return tuple(edits)


def onto_build_platform(scene: Scene, index: int) -> Edit | None:
    """Return the edit that gives the FROM of a stage without ``--platform`` the build platform."""
    flat = flat_instruction(scene.dockerfile, scene.bodies[index][0])
    found = re.match(r"[\s\ufeff]*FROM\s+", flat.text, re.IGNORECASE)
    if not found or found.end() >= len(flat.places):
        return None
    line, column = flat.places[found.end()]
    return Edit(line, column, column, "--platform=$BUILDPLATFORM ")


def platform_flag(scene: Scene, index: int, text: str) -> Edit | None:
    """Return the edit that replaces the ``--platform`` of a FROM, an empty text takes it away; None when it spans lines."""
    flat = flat_instruction(scene.dockerfile, scene.bodies[index][0])
    found = re.search(r"(?<=\s)--platform(?:=\S*)?\s+", flat.text, re.IGNORECASE)
    if not found:
        return None
    flag = flat.word(found.start(), found.end())
    ending = flag.raw[len(flag.raw.rstrip()) :] if text else ""
    return replace_word(flag, text + ending)
