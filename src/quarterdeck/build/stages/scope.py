"""Which variables an instruction sees: the global scope above the first FROM, and one scope for each stage.

Sources: "Scope" and "Using ARG variables" of the Dockerfile reference; convert.go of dockerfile2llb in BuildKit 0.34.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quarterdeck.build.dockerfile.expand import expand
from quarterdeck.build.dockerfile.model import Instruction, Pair
from quarterdeck.build.stages.platform_arguments import proxies_of


def global_scope(
    instructions: Iterable[Instruction], *, given: Mapping[str, str], predefined: Mapping[str, str], escape: str
) -> dict[str, str]:
    """Return the variables that FROM sees.

    Args:
        instructions: the ARGs above the first FROM.
        given: build arguments; they win over defaults, and over the platform arguments.
        predefined: the platform arguments.
        escape: the file's escape character.

    Raises:
        SyntaxFault: a default has a substitution that fails.
    """
    scope = {name: given.get(name, value) for name, value in predefined.items()}
    for pair in (pair for instruction in instructions for pair in instruction.pairs):
        if pair.name in given:
            scope[pair.name] = given[pair.name]
        elif pair.value is not None:
            scope[pair.name] = expand(pair.value, scope, escape=escape)
    return scope


@dataclass
class StageScope:
    """The variables of one stage as its instructions go by.

    A stage that stands on another one begins with that one's variables, arguments included. ``visible`` is made anew only when a
    variable changes, so that many steps share one mapping.
    """

    globals: Mapping[str, str]
    given: Mapping[str, str]
    escape: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    visible: Mapping[str, str] = field(default_factory=dict)

    def child(self) -> StageScope:
        """Return the scope with which a stage begins that stands on this one, as this one is now."""
        return StageScope(self.globals, self.given, self.escape, dict(self.environment), dict(self.arguments), self.visible)

    def seen_by(self, instruction: Instruction) -> Mapping[str, str]:
        """Return the variables of an instruction: a RUN also has the proxies among the build arguments, without any ARG."""
        proxies = proxies_of(self.given) if instruction.keyword == "RUN" else {}
        return {**proxies, **self.visible} if proxies else self.visible

    def apply(self, instruction: Instruction) -> None:
        """Let an ENV or ARG have its effect; other instructions have none.

        Raises:
            SyntaxFault: a value has a substitution that fails.
        """
        if instruction.keyword == "ENV":
            self.environment.update({pair.name: self._expanded(pair.value or "") for pair in instruction.pairs})
        elif instruction.keyword == "ARG":
            self.arguments.update({pair.name: value for pair in instruction.pairs if (value := self._argument(pair)) is not None})
        else:
            return
        self.visible = MappingProxyType({**self.arguments, **self.environment})

    def _expanded(self, text: str) -> str:
        """All values of one instruction see the variables as they were before it (Dockerfile reference, "Environment replacement")."""
        return expand(text, self.visible, escape=self.escape)

    def _argument(self, pair: Pair) -> str | None:
        if pair.name in self.given:
            return self.given[pair.name]
        return self.globals.get(pair.name) if pair.value is None else self._expanded(pair.value)
