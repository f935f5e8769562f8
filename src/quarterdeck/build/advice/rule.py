"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.scene import Scene


@dataclass(frozen=True)
class Rule:
    """One rule: its name in kebab case, one line that says what it looks for, and the function that looks."""

    name: str
    summary: str
    check: Callable[[Scene], Iterator[Advice]]
