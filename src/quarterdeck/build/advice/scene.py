"""A Dockerfile together with its stages for every platform: the questions that the rules ask of it."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from quarterdeck.build.advice.shell import Command, Script, read_script
from quarterdeck.build.dockerfile.model import Dockerfile, Instruction
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import Base, FromStage, Image, Scratch, Stage, StageGraph, StageStep


@dataclass(frozen=True)
class Export:
    """Files that a stage outside a family takes out of it; ``path`` is absolute, empty where it may be anything."""

    step: StageStep
    path: str


@dataclass(frozen=True)
class Family:
    """A stage that stands on an image, and all that stand on it: they share one platform."""

    root: int
    members: frozenset[int]


@dataclass(frozen=True)
class Scene:
    """What rules look at."""

    dockerfile: Dockerfile
    graphs: Mapping[Platform, StageGraph]

    @cached_property
    def bodies(self) -> tuple[tuple[Instruction, ...], ...]:
        """The instructions of each stage, its FROM first."""
        stages: list[list[Instruction]] = []
        for instruction in self.dockerfile.instructions:
            if instruction.keyword == "FROM":
                stages.append([])
            if stages:
                stages[-1].append(instruction)
        return tuple(tuple(stage) for stage in stages)

    @cached_property
    def scripts(self) -> dict[int, Script]:
        """What each RUN does, by its first line."""
        runs = [instruction for body in self.bodies for instruction in body if instruction.keyword == "RUN"]
        return {run.span.first: read_script(self.dockerfile, run) for run in runs}

    def script(self, run: Instruction) -> Script:
        """Return what a RUN of the file does."""
        return self.scripts[run.span.first]

    @cached_property
    def used(self) -> tuple[int, ...]:
        """The stages that some platform needs and no build context replaces."""
        found = {stage.index for graph in self.graphs.values() for stage in graph.needed if stage.replaced is None}
        return tuple(sorted(found))

    def label(self, index: int) -> str:
        """Return what a stage is called."""
        return next(iter(self.graphs.values())).stages[index].label

    def runs(self, index: int) -> tuple[Instruction, ...]:
        """Return the RUN instructions of a stage."""
        return tuple(instruction for instruction in self.bodies[index] if instruction.keyword == "RUN")

    def uses(self, index: int) -> Iterator[tuple[StageGraph, Stage]]:
        """Return the stage as it is for each platform that needs it."""
        for graph in self.graphs.values():
            if index in graph.reachable and graph.stages[index].replaced is None:
                yield graph, graph.stages[index]

    def foreign(self, index: int) -> tuple[Platform, ...]:
        """Return the target platforms for which the stage's programs are not the build platform's."""
        return tuple(graph.target_platform for graph, stage in self.uses(index) if stage.platform != graph.build_platform)

    def is_target(self, index: int) -> bool:
        """Whether the stage is an image that is asked for."""
        return any(graph.target == index for graph in self.graphs.values())

    def on_build_platform(self, index: int) -> bool:
        """Whether the stage is put on the build platform by ``--platform=$BUILDPLATFORM``, its own or that of the stage below."""
        uses = list(self.uses(index))
        root = {self.root(graph, index) for graph, _ in uses}
        return bool(uses) and all("BUILDPLATFORM" in (self.bodies[number][0].flag("platform") or "") for number in root)

    def root(self, graph: StageGraph, index: int) -> int:
        """Return the stage at the bottom of those that ``index`` stands on."""
        base = graph.stages[index].base
        while isinstance(base, FromStage) and graph.stages[index].replaced is None:
            index = base.index
            base = graph.stages[index].base
        return index

    def image(self, index: int) -> str:
        """Return the image that a stage stands on in the end, empty where it is none or differs between platforms."""
        images = {graph.root(stage) for graph, stage in self.uses(index)}
        only = images.pop() if len(images) == 1 else None
        return only.reference if isinstance(only, Image) else ""

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families with an image at the bottom, in the order of the file, those alike on all platforms only."""
        found = []
        for index in self.used:
            members = {self._members(graph, index) for graph, stage in self.uses(index) if isinstance(stage.base, Image)}
            if len(members) == 1:
                found.append(Family(index, members.pop()))
        return tuple(found)

    def _members(self, graph: StageGraph, index: int) -> frozenset[int]:
        return frozenset(stage.index for stage in graph.needed if self.root(graph, stage.index) == index)

    @cached_property
    def commands(self) -> Mapping[int, tuple[tuple[int, Instruction, Command], ...]]:
        """Every simple command of a family with its stage and RUN, by the family's root."""
        return {family.root: tuple(self._commands(family)) for family in self.families}

    def _commands(self, family: Family) -> Iterator[tuple[int, Instruction, Command]]:
        for index in sorted(family.members):
            for run in self.runs(index):
                for command in self.script(run).commands:
                    yield index, run, command

    def movable(self, family: Family) -> bool:
        """Whether it could move: its platform is nobody's choice, it is no image asked for, and some target needs it foreign."""
        stages = [stage for index in family.members for _, stage in self.uses(index)]
        explicit = any(stage.explicit_platform or self.bodies[stage.index][0].flag("platform") for stage in stages)
        return not explicit and not any(self.is_target(index) for index in family.members) and bool(self.foreign(family.root))

    def imports(self, family: Family) -> tuple[str, ...]:
        """Return the images and stages for the target platform that the family takes files from."""
        found: dict[str, None] = {}
        for index in sorted(family.members):
            for _, stage in self.uses(index):
                found.update((name, None) for step in stage.steps for name in self._foreign_sources(step, family))
        return tuple(found)

    def _foreign_sources(self, step: StageStep, family: Family) -> Iterator[str]:
        for source in step.sources:
            if not isinstance(source, FromStage):
                yield str(source)
            elif source.index not in family.members and not self.on_build_platform(source.index) and not self._only_files(source.index):
                yield self.label(source.index)

    def _only_files(self, index: int) -> bool:
        """Whether a stage is nothing but files of the build context."""
        alone = all(isinstance(stage.base, Scratch) and not any(step.sources for step in stage.steps) for _, stage in self.uses(index))
        return alone and not self.runs(index)

    def exports(self, members: frozenset[int]) -> tuple[Export, ...]:
        """Return what other stages take out of these."""
        found: dict[tuple[int, str], Export] = {}
        for graph in self.graphs.values():
            for stage in graph.needed:
                if stage.index in members or stage.replaced is not None:
                    continue
                for step in stage.steps:
                    if any(_within(source, members) for source in step.sources):
                        found.update(((step.line, path), Export(step, path)) for path in _paths(step))
        return tuple(found.values())

    def dependents(self, family: Family) -> tuple[str, ...]:
        """Return the stages that stand on the family or take files from it, and that the images asked for do not need."""
        found: dict[str, None] = {}
        for graph in self.graphs.values():
            for stage in graph.stages:
                touched = bool(stage.needs & family.members) or self.root(graph, stage.index) == family.root
                if stage.index not in graph.reachable and touched:
                    found[stage.label] = None
        return tuple(found)

    def folder(self, instruction: Instruction, index: int) -> PurePosixPath:
        """Return the working folder in which an instruction of a stage runs, as far as the Dockerfile says it."""
        graph, stage = next(self.uses(index))
        below = self._chain(graph, stage)
        here = PurePosixPath("/go" if "golang" in self.image(index) else "/")
        for step in (step for one in below for step in one.steps):
            if step.instruction is instruction or (step.line >= instruction.span.first and step in stage.steps):
                break
            if step.instruction.keyword == "WORKDIR":
                here /= step.text.strip().strip("\"'")
        return here

    def _chain(self, graph: StageGraph, stage: Stage) -> list[Stage]:
        chain = [stage]
        while isinstance(chain[0].base, FromStage):
            chain.insert(0, graph.stages[chain[0].base.index])
        return chain


def _within(source: Base, members: frozenset[int]) -> bool:
    return isinstance(source, FromStage) and source.index in members


def _paths(step: StageStep) -> list[str]:
    """Return the absolute source paths of a COPY; a mount of a stage may take anything."""
    if step.instruction.keyword != "COPY":
        return [""]
    try:
        words = list(step.instruction.words or shlex.split(step.text))
    except ValueError:
        return [""]
    return [posixpath.normpath(f"/{word.lstrip('/')}") for word in words[:-1]]
