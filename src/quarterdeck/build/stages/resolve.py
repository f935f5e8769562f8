"""A Dockerfile for one target platform: stages with their platforms, what each stands on, and which are needed.

Source of the rules: convert.go of dockerfile2llb in BuildKit 0.11 and 0.34, which agree but for error messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quarterdeck.build.dockerfile.errors import DockerfileError, located
from quarterdeck.build.dockerfile.model import Dockerfile, Instruction
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import Base, Context, FromStage, Stage, StageGraph, StageStep
from quarterdeck.build.stages.names import Names
from quarterdeck.build.stages.needs import circle, reachable
from quarterdeck.build.stages.outline import Outline, outlines, split
from quarterdeck.build.stages.platform_arguments import platform_arguments
from quarterdeck.build.stages.remarks import remarks
from quarterdeck.build.stages.scope import StageScope, global_scope
from quarterdeck.build.stages.sources import sources
from quarterdeck.build.stages.steps import StepReader, triggers_of
from quarterdeck.build.stages.target import find_target


def resolve_stages(
    dockerfile: Dockerfile,
    *,
    target: Platform,
    build: Platform,
    arguments: Mapping[str, str],
    stage: str | None = None,
    contexts: Mapping[str, str] | None = None,
) -> StageGraph:
    """Return what the file means for one target platform.

    Args:
        dockerfile: as parsed.
        target: what the image is for (``TARGETPLATFORM``).
        build: what the builder runs natively (``BUILDPLATFORM``).
        arguments: build arguments by name.
        stage: the stage that is wanted, by name or number; None for the last.
        contexts: named build contexts, which take the place of images and stages of their name.

    Raises:
        DockerfileError: the file makes no sense, with its line.
        UsageError: there is no such stage.
    """
    escape = dockerfile.directives.escape
    above, written = split(dockerfile)
    predefined = platform_arguments(target, build, stage)
    with located(dockerfile.name, above[0].span.first if above else 1):
        variables = global_scope(above, given=arguments, predefined=predefined, escape=escape)
    names = Names(list(outlines(dockerfile, written, variables)), contexts or {})
    wiring = _Wiring(dockerfile.name, names, {})
    needs = wiring.needs()
    wanted = find_target(names, stage, dockerfile.name)
    needed = reachable(wanted, needs)
    stages = _Builder(wiring, needs, needed, target, StageScope(variables, arguments, escape)).stages()
    return StageGraph(
        target_platform=target,
        build_platform=build,
        stages=stages,
        target=wanted,
        reachable=needed,
        escape=escape,
        remarks=tuple(remarks(names, [stages[index] for index in sorted(needed)])),
    )


@dataclass(frozen=True)
class _Wiring:
    """What each stage stands on and takes files from, found without looking at variables inside stages."""

    name: str
    names: Names
    bases: dict[int, Base]

    def needs(self) -> dict[int, frozenset[int]]:
        """Return the stages that each stage needs, and fill ``bases``."""
        found = {}
        for outline in self.names.stages:
            self.bases[outline.index] = self.names.find(outline.base, above=outline.index)
            found[outline.index] = frozenset() if self.replaced(outline) else self._needs(outline)
        self._refuse_circle(circle(found))
        return found

    def replaced(self, outline: Outline) -> Context | None:
        """Return the build context that takes the place of a stage."""
        return self.names.context(outline.name) if outline.name else None

    def triggers(self, outline: Outline) -> list[Instruction]:
        """Return what the ONBUILDs of the stage below keep for this one."""
        base = self.bases[outline.index]
        if not isinstance(base, FromStage) or self.replaced(self.names.stages[base.index]):
            return []
        return triggers_of(self.names.stages[base.index].instructions)

    def _needs(self, outline: Outline) -> frozenset[int]:
        found: list[Base] = [self.bases[outline.index]]
        for instruction in [*self.triggers(outline), *outline.instructions]:
            with located(self.name, instruction.span.first):
                found += sources(instruction, self.names.find, len(self.names.stages))
        return frozenset(base.index for base in found if isinstance(base, FromStage))

    def _refuse_circle(self, found: Sequence[int]) -> None:
        if not found:
            return
        outlines = self.names.stages
        first = outlines[found[0]]
        way = " needs ".join(f"'{outlines[index].label}'" for index in found)
        raise DockerfileError(
            f"the stage '{first.label}' needs itself",
            name=self.name,
            line=first.start.span.first,
            reason=way,
            hint="move what both need into a stage of its own",
            key="circular-stages",
        )


@dataclass(frozen=True)
class _Builder:
    """Makes the stages, in the order of the file: what a stage stands on is always above it."""

    wiring: _Wiring
    needs: Mapping[int, frozenset[int]]
    needed: frozenset[int]
    target: Platform
    empty: StageScope

    def stages(self) -> tuple[Stage, ...]:
        made: list[Stage] = []
        scopes: dict[int, StageScope] = {}
        for outline in self.wiring.names.stages:
            base = self.wiring.bases[outline.index]
            below = made[base.index] if isinstance(base, FromStage) and not self.wiring.replaced(outline) else None
            scopes[outline.index] = scopes[below.index].child() if below else self.empty.child()
            made.append(self._stage(outline, below, scopes[outline.index]))
        return tuple(made)

    def _stage(self, outline: Outline, below: Stage | None, scope: StageScope) -> Stage:
        replaced = self.wiring.replaced(outline)
        return Stage(
            index=outline.index,
            name=outline.name,
            base=self.wiring.bases[outline.index],
            # BuildKit takes the platform of the stage below even where this FROM has --platform.
            platform=below.platform if below else outline.platform or self.target,
            explicit_platform=below.explicit_platform if below else outline.platform is not None,
            steps=() if replaced else self._steps(outline, scope),
            needs=self.needs[outline.index],
            span=outline.span,
            replaced=replaced,
        )

    def _steps(self, outline: Outline, scope: StageScope) -> tuple[StageStep, ...]:
        reader = StepReader(self.wiring.name, self.wiring.names, scope.escape)
        if outline.index not in self.needed:
            return tuple(reader.unresolved(outline.instructions))
        return tuple(reader.steps(self.wiring.triggers(outline), outline.instructions, scope))
