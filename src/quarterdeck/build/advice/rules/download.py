"""Downloads with an architecture in their address: the same file for every platform."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.places import declare, replace_word
from quarterdeck.build.advice.programs import FETCHERS, asks_machine
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.rules.undeclared_argument import used_text
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.advice.text import Word, flat_command
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "download-for-one-architecture"
_ARCHITECTURES = {
    "amd64": "amd64",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "x64": "amd64",
    "linux64": "amd64",
    "arm64": "arm64",
    "aarch64": "arm64",
    "armv7": "arm",
    "armhf": "arm",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}
_TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, _ARCHITECTURES))})(?![A-Za-z0-9])")
_URL = re.compile(r"(?:https?|ftp)://\S+")
_CHECKSUM = re.compile(r"sha\d+sum|md5sum|--checksum|\bgpg\b|shasum")
_AWARE = re.compile(r"\b(?:TARGET|BUILD)(?:PLATFORM|ARCH|VARIANT)\b|\bcase\s")


def _check(scene: Scene) -> Iterator[Advice]:
    for index in scene.used:
        for instruction in scene.bodies[index]:
            token = _token(scene, instruction)
            wrong = [
                str(graph.target_platform)
                for graph, stage in scene.uses(index)
                if token and graph.target_platform.architecture != _ARCHITECTURES[token] != stage.platform.architecture
            ]
            if wrong:
                yield _advice(scene, index, instruction, (token, wrong))


def _token(scene: Scene, instruction: Instruction) -> str:
    """Return the name of an architecture in an address that the instruction fetches, empty where it chooses one by itself."""
    text = used_text(instruction)
    fetches = instruction.keyword == "ADD" or (
        instruction.keyword == "RUN" and any(command.program in FETCHERS for command in scene.script(instruction).commands)
    )
    if not fetches or _AWARE.search(text) or asks_machine(instruction):
        return ""
    found = [token.group() for url in _URL.findall(text) for token in _TOKEN.finditer(url)]
    return found[0] if len(set(found)) == 1 else ""


def _advice(scene: Scene, index: int, instruction: Instruction, found: tuple[str, list[str]]) -> Advice:
    token, wrong = found
    patch = _patch(scene, index, instruction, token)
    checked = "; its checksum differs for each, too" if _CHECKSUM.search(used_text(instruction)) else ""
    advice = "write ${TARGETARCH} in its place" if token in ("amd64", "arm64") else "choose the name by TARGETARCH with a 'case'"
    return Advice(
        rule=_NAME,
        span=instruction.span,
        stage=scene.label(index),
        message=f"this fetches the file for {token} for {', '.join(wrong)} too",
        why=f"the address names it: {advice}{checked}; not applied by itself: only the publisher knows the names of the others",
        gain="the right file for each platform",
        patch=patch,
    )


def _patch(scene: Scene, index: int, instruction: Instruction, token: str) -> tuple[Edit, ...] | None:
    """Return the edits that put ${TARGETARCH} in, where that is all there is to do."""
    elsewhere = any(token in one.source for one in scene.bodies[index] if one is not instruction)
    if token not in ("amd64", "arm64") or elsewhere or instruction.heredocs or _CHECKSUM.search(used_text(instruction)):
        return None
    words = [word for word in _words(scene, instruction) if _TOKEN.search(word.raw)]
    edits = [None if "'" in word.raw else replace_word(word, re.sub(_TOKEN, "${TARGETARCH}", word.raw)) for word in words]
    changed = tuple(edit for edit in edits if edit is not None)
    if len(changed) != len(edits) or not edits:
        return None
    return (*declare(scene, index, [(instruction, ("TARGETARCH",))]), *changed)


def _words(scene: Scene, instruction: Instruction) -> list[Word]:
    flat = flat_command(scene.dockerfile, instruction)
    return [flat.word(match.start(), match.end()) for match in re.finditer(r"\S+", flat.text)]


RULE = Rule(_NAME, "a download names one architecture in its address", _check)
