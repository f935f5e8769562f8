"""The steps of one stage: which kind each is, what variables it sees, and what its text is once they are replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quarterdeck.build.dockerfile.errors import located
from quarterdeck.build.dockerfile.expand import expand
from quarterdeck.build.dockerfile.model import Instruction
from quarterdeck.build.dockerfile.mounts import check_mounts
from quarterdeck.build.stages.model import StageStep, StepKind
from quarterdeck.build.stages.names import Names
from quarterdeck.build.stages.scope import StageScope
from quarterdeck.build.stages.sources import sources

_FILES = frozenset(("COPY", "ADD", "WORKDIR"))
# The instructions whose words the builder itself replaces variables in ("Environment replacement" of the Dockerfile reference).
_EXPANDED = frozenset(("ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"))


@dataclass(frozen=True)
class StepReader:
    """Makes steps of instructions; ``name`` is the file's."""

    name: str
    names: Names
    escape: str

    def steps(self, triggers: Sequence[Instruction], own: Sequence[Instruction], scope: StageScope) -> Iterator[StageStep]:
        """Yield the steps of one stage in the order in which they are done, and let ``scope`` go along.

        Args:
            triggers: what the base stage's ONBUILDs keep for this one; they come first.
            own: the stage's instructions.
            scope: the variables at its beginning.

        Raises:
            DockerfileError: a substitution fails, or a mount has a wrong field.
        """
        for instruction, trigger in [*((one, True) for one in triggers), *((one, False) for one in own)]:
            with located(self.name, instruction.span.first):
                step = self._step(instruction, scope, trigger=trigger)
                scope.apply(instruction)
            yield step

    def _step(self, instruction: Instruction, scope: StageScope, *, trigger: bool) -> StageStep:
        if instruction.keyword == "RUN":
            check_mounts(instruction, lambda value: expand(value, scope.visible, escape=self.escape))
        replaced = instruction.keyword in _EXPANDED and "$" in instruction.text
        return StageStep(
            instruction=instruction,
            kind=kind_of(instruction),
            text=self._replaced(instruction.text, scope) if replaced else instruction.text,
            variables=scope.seen_by(instruction),
            sources=sources(instruction, self.names.find, len(self.names.stages)),
            trigger=trigger,
        )

    def _replaced(self, text: str, scope: StageScope) -> str:
        """Quotes stay, so that words stay words."""
        return expand(text, scope.visible, escape=self.escape, raw_quotes=True, raw_escapes=True)

    def unresolved(self, own: Sequence[Instruction]) -> Iterator[StageStep]:
        """Yield the steps of a stage that nobody needs, as written: no builder looks at its variables, so nothing in them is wrong."""
        for instruction in own:
            with located(self.name, instruction.span.first):
                found = sources(instruction, self.names.find, len(self.names.stages))
            yield StageStep(instruction=instruction, kind=kind_of(instruction), text=instruction.text, variables={}, sources=found)


def kind_of(instruction: Instruction) -> StepKind:
    """Return what an instruction does."""
    if instruction.keyword == "RUN":
        return StepKind.RUN
    return StepKind.FILES if instruction.keyword in _FILES else StepKind.SETTING


def triggers_of(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Return what the ONBUILDs among these instructions keep for stages that stand on theirs."""
    return [instruction.trigger for instruction in instructions if instruction.keyword == "ONBUILD" and instruction.trigger]
