"""Text of an instruction as the shell gets it, with the place that each character has in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from quarterdeck.build.dockerfile.model import Dockerfile, Heredoc, Instruction

_COMMENT = re.compile(r"[ \t]*#")
_QUOTED = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """One word: ``raw`` as written, ``text`` without its quotes; ``line`` 1-based, columns from 0.

    ``end`` is -1 for a word that goes on in another line.
    """

    raw: str
    text: str
    line: int
    column: int
    end: int

    @property
    def constant(self) -> bool:
        """Whether the shell leaves it as it is: no expansion, no pattern."""
        return not re.search(r"[$`*?]", self.raw)


@dataclass(frozen=True)
class Flat:
    """Characters and their places: (line from 1, column from 0)."""

    text: str
    places: tuple[tuple[int, int], ...]

    def word(self, start: int, end: int) -> Word:
        """Return the word between two offsets."""
        raw = self.text[start:end]
        (line, column), (last, last_column) = self.places[start], self.places[min(end, len(self.places)) - 1]
        return Word(raw, unquoted(raw), line, column, last_column + 1 if line == last else -1)

    def after(self, offset: int) -> Flat:
        """Return what stands from ``offset`` on."""
        return Flat(self.text[offset:], self.places[offset:])


def file_lines(dockerfile: Dockerfile) -> tuple[str, ...]:
    """Return the lines of the file without their ends; only a newline ends a line."""
    return _split(dockerfile.text)


@lru_cache(maxsize=4)
def _split(text: str) -> tuple[str, ...]:
    return tuple(line.removesuffix("\r") for line in text.split("\n"))


def unquoted(raw: str) -> str:
    """Return a word without its quotes; expansions stay as written."""
    return _QUOTED.sub(lambda match: next((group for group in match.groups() if group is not None), ""), raw)


def flat_command(dockerfile: Dockerfile, instruction: Instruction) -> Flat:
    """Return the arguments of an instruction after its flags, continued lines joined, without here-documents."""
    flat = flat_instruction(dockerfile, instruction)
    skipped = re.match(r"\s*\S+\s*" + r"--\S+\s*" * len(instruction.flags), flat.text)
    return flat.after(skipped.end()) if skipped else flat


def flat_instruction(dockerfile: Dockerfile, instruction: Instruction) -> Flat:
    """Return an instruction with its keyword and flags, continued lines joined, without here-documents."""
    last = min([heredoc.span.first - 1 for heredoc in instruction.heredocs] or [instruction.span.last])
    # A here-document's span may begin on the line that opens it; that line belongs to the command.
    last = max(last, instruction.span.first)
    rows = _rows(dockerfile, instruction.span.first, last)
    continued = re.compile(rf"(?<!{re.escape(dockerfile.directives.escape)}){re.escape(dockerfile.directives.escape)}[ \t]*$")
    parts: list[tuple[int, str]] = []
    for number, row in rows:
        if number > instruction.span.first and (_COMMENT.match(row) or not row.strip()):
            continue
        parts.append((number, continued.sub("", row)))
    return _flat(parts)


def flat_heredoc(dockerfile: Dockerfile, heredoc: Heredoc) -> Flat:
    """Return the lines of a here-document as a script, continued lines joined."""
    count = heredoc.content.count("\n") + (0 if heredoc.content.endswith("\n") or not heredoc.content else 1)
    rows = _rows(dockerfile, heredoc.span.last - count, heredoc.span.last - 1)
    return _flat([(number, row[:-1] if row.endswith("\\") else f"{row}\n") for number, row in rows])


def _rows(dockerfile: Dockerfile, first: int, last: int) -> list[tuple[int, str]]:
    return list(enumerate(file_lines(dockerfile)[first - 1 : last], first))


def _flat(parts: list[tuple[int, str]]) -> Flat:
    text = "".join(row for _, row in parts)
    return Flat(text, tuple((number, column) for number, row in parts for column in range(len(row))))
