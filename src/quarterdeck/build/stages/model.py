"""The values that a resolved Dockerfile consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from quarterdeck.build.dockerfile.model import Instruction, Span
from quarterdeck.build.platform import Platform


@dataclass(frozen=True)
class Image:
    """An image of a registry or of the engine, as the Dockerfile names it once variables are expanded."""

    reference: str

    def __str__(self) -> str:
        return self.reference


@dataclass(frozen=True)
class FromStage:
    """Another stage of the same file, by its place among them, 0 the first."""

    index: int

    def __str__(self) -> str:
        return f"stage {self.index}"


@dataclass(frozen=True)
class Scratch:
    """Nothing: an empty root folder."""

    def __str__(self) -> str:
        return "scratch"


@dataclass(frozen=True)
class Context:
    """A named build context (``--build-context NAME=VALUE``) that stands in for an image or a stage."""

    name: str
    value: str = ""

    def __str__(self) -> str:
        return f"context {self.name}"


Base = Image | FromStage | Scratch | Context


class StepKind(StrEnum):
    """What an instruction does."""

    RUN = "run"
    """Runs a program inside the stage: the only kind that needs a processor of the stage's platform."""
    FILES = "files"
    """Brings files: COPY and ADD, and WORKDIR, which makes a folder. The builder does it itself, on its own platform."""
    SETTING = "setting"
    """Changes only the image's configuration or the variables."""


@dataclass(frozen=True, kw_only=True)
class StageStep:
    """One instruction of a stage.

    ``text`` has its variables expanded where the builder expands them; RUN, CMD, ENTRYPOINT, HEALTHCHECK and SHELL stand as written,
    because their shell does it. ``variables`` are those visible to the instruction: ENV over ARG. ``sources`` are where it takes files
    from besides the main build context. ``trigger`` says that it stands as ONBUILD in the base stage.
    """

    instruction: Instruction
    kind: StepKind
    text: str
    variables: Mapping[str, str] = field(repr=False)
    sources: tuple[Base, ...] = ()
    trigger: bool = False

    @property
    def line(self) -> int:
        """The 1-based line on which it begins."""
        return self.instruction.span.first


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage, resolved for one target platform.

    ``name`` is empty for a stage without one. ``platform`` is what its programs are for; ``explicit_platform`` says that its FROM,
    or that of the stage it stands on, has ``--platform``. ``needs`` are the stages that it stands on or takes files from. ``replaced``
    is the build context that takes its place, and then nothing of it runs.
    """

    index: int
    name: str
    base: Base
    platform: Platform
    explicit_platform: bool
    steps: tuple[StageStep, ...]
    needs: frozenset[int]
    span: Span
    replaced: Context | None = None

    @property
    def label(self) -> str:
        """The name, or what BuildKit calls a stage without one: ``stage-2``."""
        return self.name or f"stage-{self.index}"

    @property
    def runs(self) -> tuple[StageStep, ...]:
        """The steps that run programs."""
        return tuple(step for step in self.steps if step.kind is StepKind.RUN)


@dataclass(frozen=True)
class Remark:
    """Something that is no error and probably not meant, with its 1-based line."""

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class StageGraph:
    """All stages of a Dockerfile for one target platform; ``reachable`` are those that ``target`` needs, itself included."""

    target_platform: Platform
    build_platform: Platform
    stages: tuple[Stage, ...]
    target: int
    reachable: frozenset[int]
    escape: str = "\\"
    remarks: tuple[Remark, ...] = ()

    @property
    def needed(self) -> tuple[Stage, ...]:
        """The reachable stages in the order of the file."""
        return tuple(stage for stage in self.stages if stage.index in self.reachable)

    def stage_below(self, stage: Stage) -> Stage | None:
        """Return the stage that ``stage`` stands on, None when it stands on something else."""
        return self.stages[stage.base.index] if isinstance(stage.base, FromStage) and stage.replaced is None else None

    def root(self, stage: Stage) -> Base:
        """Return what stands at the bottom of ``stage``: an image, scratch or a build context."""
        while isinstance(stage.base, FromStage) and stage.replaced is None:
            stage = self.stages[stage.base.index]
        return stage.replaced or stage.base

    def users(self, index: int) -> tuple[Stage, ...]:
        """Return the reachable stages that stand on stage ``index`` or take files from it, in the order of the file."""
        return tuple(stage for stage in self.needed if index in stage.needs)
