"""Physical lines to logical ones: continuations joined, comments and empty lines between them dropped.

Source: frontend/dockerfile/parser/parser.go of BuildKit 0.34.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from quarterdeck.build.dockerfile.directives import DirectiveReader
from quarterdeck.build.dockerfile.errors import DockerfileError, SyntaxFault, located
from quarterdeck.build.dockerfile.model import Directives, Heredoc, Notice, Span
from quarterdeck.build.dockerfile.spaces import SPACES, is_comment, trim

# bufio.MaxScanTokenSize of Go, in bytes and with the line's end, is what BuildKit's scanner takes.
MAX_LINE = 64 * 1024
_CONTINUED = {escape: re.compile(rf"(?:(?<=[^{re.escape(escape)}])|\A){re.escape(escape)}[ \t]*\Z", re.DOTALL) for escape in ("\\", "`")}


@dataclass(frozen=True)
class Logical:
    """One instruction's text on one line; ``span`` the lines that it was on."""

    text: str
    span: Span


class LineReader:
    """Walks over the lines of a file from the top to the bottom."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.removeprefix("\ufeff").split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.notices: list[Notice] = []
        self._name = name
        self._next = 0
        self._directives = DirectiveReader()

    @property
    def escape(self) -> str:
        """The escape character, known once the first instruction is read."""
        return self._directives.escape

    def directives(self) -> Directives:
        """Return the parser directives; a first line ``#!`` hides all but ``syntax`` and ``check`` from BuildKit."""
        if not self.lines or not self.lines[0].startswith("#!"):
            return self._directives.result()
        below = DirectiveReader()
        # BuildKit ignores what is wrong here, since it looks only for what comes before it.
        with contextlib.suppress(SyntaxFault):
            for line in self.lines[1:]:
                below.feed(line.rstrip("\r"))
        found = below.result()
        return Directives(found.syntax, self.escape, found.check)

    def logical(self) -> Logical | None:
        """Return the next instruction's text, None at the end of the file.

        Raises:
            DockerfileError: a directive is wrong, or a line is too long.
        """
        while self._next < len(self.lines):
            first = self._next + 1
            line = self._physical().lstrip(SPACES)
            with located(self._name, first):
                self._directives.feed(line)
            if line and not line.startswith("#"):
                return self._continued(line, first)
        return None

    def heredoc(self, doc: Heredoc, *, first: int) -> Heredoc:
        """Return the document with the lines up to the one that ends it.

        Raises:
            DockerfileError: none does; ``first`` is the line it names.
        """
        start = self._next + 1
        content: list[str] = []
        while self._next < len(self.lines):
            line = self._physical()
            if (line.lstrip("\t") if doc.chomp else line) == doc.name:
                return Heredoc(doc.name, "".join(content), doc.expand, doc.chomp, Span(start, self._next))
            content.append(self.lines[self._next - 1] + "\n")
        raise DockerfileError(
            f"the here-document '{doc.name}' has no end",
            name=self._name,
            line=first,
            hint=f"a line with nothing but {doc.name} ends it{'' if doc.chomp else '; <<- lets tabs stand before it'}",
        )

    def source(self, span: Span) -> str:
        """Return the lines of a span as written, without the end of the last one."""
        return "\n".join(self.lines[span.first - 1 : span.last])

    @property
    def number(self) -> int:
        """The line that was read last, 1-based."""
        return self._next

    def _physical(self) -> str:
        line = self.lines[self._next]
        self._next += 1
        if len(line) * 4 >= MAX_LINE - 1:
            self._check_length(line)
        return line.rstrip("\r\n")

    def _check_length(self, line: str) -> None:
        if len(line.encode()) + 1 > MAX_LINE:
            raise DockerfileError(
                f"the line is longer than {MAX_LINE - 1} bytes, the most that BuildKit reads",
                name=self._name,
                line=self._next,
                hint="break it with a continuation, or COPY a file",
            )

    def _continued(self, line: str, first: int) -> Logical:
        continued = _CONTINUED[self.escape]
        parts: list[str] = []
        empty = 0
        match = continued.search(line)
        while match:
            parts.append(line[: match.start()])
            line, blank = self._continuation()
            empty = empty or blank
            match = continued.search(line)
        parts.append(line)
        if empty:
            self.notices.append(
                Notice(empty, "an empty line inside a continued instruction: BuildKit warns of it and may refuse it one day")
            )
        return Logical("".join(parts), Span(first, self._next))

    def _continuation(self) -> tuple[str, int]:
        """Return the next line that counts, and the number of an empty one before it or 0."""
        empty = 0
        while self._next < len(self.lines):
            line = self._physical()
            if is_comment(line):
                continue
            if trim(line):
                return line, empty
            empty = self._next
        return "", empty
