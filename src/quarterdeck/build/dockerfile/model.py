"""A Dockerfile as values: what each instruction says, and where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Span:
    """The lines from ``first`` to ``last``, both included, 1-based."""

    first: int
    last: int

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and self.first <= line <= self.last


@dataclass(frozen=True)
class Flag:
    """One ``--name=value``; ``value`` is None when no ``=`` was written, and not yet expanded."""

    name: str
    value: str | None

    def __str__(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


@dataclass(frozen=True)
class Heredoc:
    """A here-document; ``content`` are its lines as written, ``expand`` whether variables in them are replaced.

    ``chomp`` (``<<-``) takes leading tabs away: ``body`` has it done. ``span`` includes the line that ends it.
    """

    name: str
    content: str
    expand: bool
    chomp: bool
    span: Span

    @property
    def body(self) -> str:
        """What the file or script that it stands for contains."""
        return _LEADING_TABS.sub("", self.content) if self.chomp else self.content


@dataclass(frozen=True)
class Directives:
    """The parser directives; empty where there is none. ``syntax`` is the frontend's image, ``check`` as written."""

    syntax: str = ""
    escape: str = "\\"
    check: str = ""


@dataclass(frozen=True)
class Pair:
    """One ``name=value`` of ENV, LABEL or ARG, quotes and variables as written; None is an ARG without a default."""

    name: str
    value: str | None


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: in upper case.
        flags: in order, the same name maybe more than once.
        text: the arguments after the flags, continued lines joined and comments between them dropped.
        words: the strings of the JSON (exec) form, None for the shell form; of HEALTHCHECK those after CMD.
        heredocs: in order.
        span: all lines, here-documents included.
        source: these lines as written.
        arguments: the words in either form where the instruction takes words (FROM, COPY, ADD, EXPOSE, VOLUME, ARG); the whole text
            as one for others, of HEALTHCHECK the type and the command; empty where nothing follows the keyword.
        pairs: of ENV, LABEL and ARG.
        trigger: what ONBUILD keeps for later.
    """

    keyword: str
    flags: tuple[Flag, ...]
    text: str
    words: tuple[str, ...] | None
    heredocs: tuple[Heredoc, ...]
    span: Span
    source: str
    arguments: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    trigger: Instruction | None = None

    def flag(self, name: str) -> str | None:
        """Return the value of the last flag of this name: None when there is none, ``true`` when it has no value."""
        values = self.flag_values(name)
        return values[-1] if values else None

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all flags of this name."""
        return tuple("true" if flag.value is None else flag.value for flag in self.flags if flag.name == name)

    def is_set(self, name: str) -> bool:
        """Whether a boolean flag is on."""
        return (self.flag(name) or "").lower() == "true"


@dataclass(frozen=True)
class Notice:
    """Something that works and should not be relied on."""

    line: int
    message: str


@dataclass(frozen=True)
class Dockerfile:
    """A whole file. ``text`` can be written back unchanged with ``encode("utf-8", "surrogateescape")``.

    Everything else has U+FFFD in place of bytes that are not UTF-8.
    """

    name: str
    text: str
    directives: Directives
    instructions: tuple[Instruction, ...]
    notices: tuple[Notice, ...] = ()
