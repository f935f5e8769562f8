"""What is wrong in a Dockerfile, with or without its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from quarterdeck.errors import UsageError


class SyntaxFault(UsageError):  # noqa: N818 - half an error: it becomes a DockerfileError where the line is known
    """Part of a Dockerfile is wrong, and whoever found it knows no line; ``located`` adds it."""

    def __init__(self, message: str, *, reason: str = "", hint: str = "", key: str = "invalid-dockerfile") -> None:
        super().__init__(key, message, reason=reason, hint=hint)


class DockerfileError(UsageError):
    """A Dockerfile that BuildKit would refuse; shown as ``Dockerfile:12: what is wrong``.

    Args:
        fault: one line that says what is wrong.
        name: what the file is called.
        line: the first line of what is wrong, 1-based.
    """

    def __init__(self, fault: str, *, name: str, line: int, reason: str = "", hint: str = "", key: str = "invalid-dockerfile") -> None:
        super().__init__(key, f"{name}:{line}: {fault}", reason=reason, hint=hint)
        self.fault = fault
        self.name = name
        self.line = line

    @classmethod
    def of(cls, fault: SyntaxFault, *, name: str, line: int) -> Self:
        """Return the fault with its place."""
        return cls(fault.message, name=name, line=line, reason=fault.reason, hint=fault.hint, key=fault.key)


@contextmanager
def located(name: str, line: int) -> Iterator[None]:
    """Turn a ``SyntaxFault`` raised inside into a ``DockerfileError`` of this file and line."""
    try:
        yield
    except SyntaxFault as fault:
        raise DockerfileError.of(fault, name=name, line=line) from None
