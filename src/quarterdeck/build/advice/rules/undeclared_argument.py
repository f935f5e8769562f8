"""``$TARGETARCH`` without ``ARG TARGETARCH`` in its stage is empty, and nothing says so.

Source: Dockerfile reference, "Automatic platform ARGs in the global scope".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.places import PLATFORM_NAMES, lines_before
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "undeclared-argument"
_USE = re.compile(rf"(?<!\\)\$\{{?({'|'.join(PLATFORM_NAMES)})\b(:?[-=+?])?")

_LATER = {"CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD", "SHELL"}
"""Instructions whose variables are those of a container, or of another stage."""


def _check(scene: Scene) -> Iterator[Advice]:
    for index in scene.used:
        seen: set[str] = set()
        for instruction in scene.bodies[index][1:]:
            if instruction.keyword in _LATER:
                continue
            names = tuple(name for name in _missing(scene, index, instruction) if name not in seen)
            seen.update(names)
            if names:
                yield _advice(scene, index, instruction, names)


def _missing(scene: Scene, index: int, instruction: Instruction) -> tuple[str, ...]:
    """Return the variables that the instruction uses and that are not there, for no platform."""
    steps = [step for _, stage in scene.uses(index) for step in stage.steps if step.instruction is instruction]
    text = used_text(instruction)
    used = dict.fromkeys(match.group(1) for match in _USE.finditer(text))
    return tuple(name for name in used if steps and not any(name in step.variables for step in steps) and not _set_by_itself(name, text))


def used_text(instruction: Instruction) -> str:
    """Return all text of an instruction in which variables stand: flags, arguments, here-documents."""
    documents = [heredoc.content for heredoc in instruction.heredocs if heredoc.expand or instruction.keyword == "RUN"]
    return "\n".join([*map(str, instruction.flags), instruction.text, *(instruction.words or ()), *documents])


def _set_by_itself(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w$]){name}=|\bread\b[^;&|]*\b{name}\b|\bfor\s+{name}\b", text) is not None


def _advice(scene: Scene, index: int, instruction: Instruction, names: tuple[str, ...]) -> Advice:
    defaults = any(match.group(2) for match in _USE.finditer(used_text(instruction)) if match.group(1) in names)
    words = " and ".join(f"${name}" for name in names)
    tail = "; not applied by itself: the text has a default for it, on which the build may rely" if defaults else ""
    return Advice(
        rule=_NAME,
        span=instruction.span,
        stage=scene.label(index),
        message=f"{words} {'is' if len(names) == 1 else 'are'} empty here: no ARG declares {'it' if len(names) == 1 else 'them'}",
        why=f"the builder's variables are visible in a stage only after an ARG that names them{tail}",
        gain="the step gets the platform that it asks for",
        patch=lines_before(scene, instruction, [f"ARG {name}" for name in names]),
        safe=not defaults,
    )


RULE = Rule(_NAME, "a stage uses TARGETARCH or its like without declaring it", _check)
