"""Moves stages to the build platform: what all languages that can be built for another platform have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.places import onto_build_platform
from quarterdeck.build.advice.programs import NAMED_ARCHITECTURE, asks_machine, harmless, takes_foreign_files
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command
from quarterdeck.build.dockerfile.model import Instruction


@dataclass(frozen=True)
class Doubt:
    """Why a move is not known to be safe; ``blocks`` when the patch would be wrong rather than unproved."""

    text: str
    blocks: bool = False


@dataclass(frozen=True, kw_only=True)
class Move:
    """A family of stages that could run on the build platform; ``edits`` are those besides that of FROM."""

    rule: str
    message: str
    why: str
    doubts: tuple[Doubt, ...]
    edits: tuple[Edit | None, ...] = field(default=())
    note: str = ""


def move(scene: Scene, family: Family, change: Move) -> Advice:
    """Return the advice, with a patch unless a doubt or a word that cannot be edited forbids it."""
    edits = [onto_build_platform(scene, family.root), *change.edits]
    patch = tuple(edit for edit in edits if edit is not None)
    possible = len(patch) == len(edits) and not any(doubt.blocks for doubt in change.doubts)
    return Advice(
        rule=change.rule,
        span=scene.bodies[family.root][0].span,
        stage=scene.label(family.root),
        message=change.message,
        why=explained(change.why, change.doubts),
        gain=gain(scene, family) + change.note,
        patch=patch if possible else None,
        safe=possible and not change.doubts,
    )


def explained(why: str, doubts: Iterable[Doubt]) -> str:
    """Return the reason, and after it what keeps the change from being known to be safe."""
    texts = list(dict.fromkeys(doubt.text for doubt in doubts))
    return f"{why}; not applied by itself: {'; '.join(texts)}" if texts else why


def gain(scene: Scene, family: Family) -> str:
    """Return in words what a move brings."""
    count = sum(len(scene.runs(index)) for index in family.members)
    platforms = ", ".join(str(platform) for platform in scene.foreign(family.root))
    return f"{count} RUN {'step runs' if count == 1 else 'steps run'} natively instead of under emulation for {platforms}"


def commands(scene: Scene, family: Family) -> tuple[tuple[int, Instruction, Command], ...]:
    """Return every simple command of the family with its stage and RUN."""
    return scene.commands[family.root]


def doubts_of(scene: Scene, family: Family, known: Callable[[Command], bool]) -> Iterator[Doubt]:
    """Return what every move may fail for: foreign files, questions for the machine, programs that nobody knows."""
    from_line = scene.bodies[family.root][0]
    if "TARGET" in from_line.source or NAMED_ARCHITECTURE.search(scene.image(family.root)):
        yield Doubt(f"the image in line {from_line.span.first} is for one architecture", blocks=True)
    for name in scene.imports(family):
        yield Doubt(f"it takes files from {name}, which is for the target platform", blocks=True)
    for index in sorted(family.members):
        for run in scene.runs(index):
            yield from _doubts_of_run(scene, run, known)
        if any(instruction.keyword == "SHELL" for instruction in scene.bodies[index]):
            yield Doubt(f"stage {scene.label(index)} has a SHELL of its own")
    for name in scene.dependents(family):
        yield Doubt(f"stage {name}, which these images do not need, stands on it or takes files from it")
    for export in scene.exports(family.members):
        if not export.path:
            yield Doubt(f"line {export.step.line} mounts the whole stage")


def _doubts_of_run(scene: Scene, run: Instruction, known: Callable[[Command], bool]) -> Iterator[Doubt]:
    line = run.span.first
    script = scene.script(run)
    if asks_machine(run):
        yield Doubt(f"line {line} asks for the machine it runs on, which would be the build platform", blocks=True)
    if not script.plain:
        yield Doubt(f"the script in line {line} is not a plain list of commands")
    for command in script.commands:
        if takes_foreign_files(command):
            yield Doubt(f"'{command.program}' in line {line} takes files of the image or of a package along", blocks=True)
        if not harmless(command) and not known(command):
            yield Doubt(f"line {line} runs '{command.program}', which may make files for the platform it runs on")
