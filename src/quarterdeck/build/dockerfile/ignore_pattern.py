"""One pattern of a ``.dockerignore``.

Source: patternmatcher.go of github.com/moby/patternmatcher 0.6.1, which makes a regular expression of Go out of a pattern, and
filepath.Match of Go, which says whether it is one. Its oddities are kept, since they decide what is built: ``|``, ``{`` and ``}`` are not
escaped in patterns with wildcards, an escaped letter is what it is in a regular expression, and filepath.Match judges a pattern only up
to the star that ends its first part.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from enum import Enum, auto

from quarterdeck.build.dockerfile.errors import SyntaxFault

_BAD = "bad pattern"
_ESCAPED = frozenset(".+()$")
_STAR = "[^/]*"
# Escapes that mean the same in the regular expressions of Go and of Python.
_LETTERS = frozenset("dDwWsSbBafnrtvA")


class _Kind(Enum):
    EXACT = auto()
    PREFIX = auto()
    SUFFIX = auto()
    REGEX = auto()


@dataclass(frozen=True)
class Pattern:
    """A pattern; an ``exception`` (``!``) keeps what it matches."""

    text: str
    exception: bool
    _kind: _Kind
    _regex: re.Pattern[str]

    def matches(self, path: str) -> bool:
        """Whether the pattern matches this very path; folders above it are the caller's business."""
        match self._kind:
            case _Kind.EXACT:
                return path == self.text
            case _Kind.PREFIX:
                return path.startswith(self.text[:-2])
            case _Kind.SUFFIX:
                return path.endswith(self.text[2:]) or (path == self.text[3:] and self.text[2] == "/")
            case _Kind.REGEX:
                return self._regex.search(path) is not None


def clean(path: str) -> str:
    """Return the shortest spelling of a path, as Go's filepath.Clean."""
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path


def make_pattern(text: str, *, exception: bool) -> Pattern:
    """Return the pattern.

    Args:
        text: cleaned, without ``!`` and a leading slash.
        exception: whether ``!`` stood before it.

    Raises:
        SyntaxFault: it is none: a bracket has no end, or nothing follows a backslash.
    """
    try:
        _check(text)
        kind, expression = _Compiler(text).compile()
        regex = re.compile(portable(expression) if kind is _Kind.REGEX else "", re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError):
        raise SyntaxFault(f"'{text}' is no pattern", hint="[ needs its ], and a backslash something after it") from None
    return Pattern(text, exception, kind, regex)


class _Compiler:
    """Goes through a pattern once and writes the regular expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind = _Kind.EXACT
        self._parts: list[str] = ["^"]

    def compile(self) -> tuple[_Kind, str]:
        first = True
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "*" and self._next() == "*":
                self._two_stars(first)
            else:
                self._one(char)
            first = False
        return self._kind, "".join(self._parts) + "$"

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _two_stars(self, first: bool) -> None:
        self._at += 1
        if self._next() == "/":
            self._at += 1
        if self._next():
            self._add("(.*/)?")
        elif self._kind is _Kind.EXACT:
            self._kind = _Kind.PREFIX
        else:
            self._add(".*")
        if first:
            self._kind = _Kind.SUFFIX

    def _one(self, char: str) -> None:
        if char == "*":
            self._star()
        elif char == "?":
            self._add("[^/]")
        elif char in _ESCAPED:
            self._parts.append("\\" + char)
        elif char == "\\" and self._next():
            self._add("\\" + self._next())
            self._at += 1
        elif char in "[]":
            self._add(char)
        else:
            self._parts.append(char)

    def _star(self) -> None:
        """Add a star; where only plain characters lie behind the star before it, the first place they fit is as good as any other.

        Not to go back there keeps a pattern of many stars from taking hours.
        """
        start = max((at for at, part in enumerate(self._parts) if part == _STAR), default=0)
        between = self._parts[start + 1 :]
        # An open bracket takes in what follows, stars too.
        if start and between and "[" not in self._text and all(map(_is_plain, between)):
            self._parts[start:] = ["(?>[^/]*?", *between, ")"]
        self._add(_STAR)

    def _add(self, part: str) -> None:
        # The same wildcard twice in a row means no more than once, and would only cost time.
        if not (part.endswith(("*", "?")) and self._parts[-1] == part):
            self._parts.append(part)
        self._kind = _Kind.REGEX


def _is_plain(part: str) -> bool:
    """Whether part of an expression takes one character that is no slash, and is no more than that."""
    if len(part) == 2:
        return part[0] == "\\" and part[1] != "/" and not part[1].isalnum()
    return part == "[^/]" or (len(part) == 1 and part not in "/|{}^[]\\")


def portable(expression: str) -> str:
    """Return a regular expression of Go as one of Python; only what patterns can hold.

    Raises:
        ValueError: an escape has no counterpart, or a bracket no end.
    """
    parts: list[str] = []
    at = 0
    while at < len(expression):
        char = expression[at]
        if char == "[":
            part, at = _bracket(expression, at)
        elif char == "\\":
            part, at = _escape(expression, at)
        elif char == "$":
            part, at = r"\Z", at + 1
        elif char == "]" or (char == "{" and expression.startswith("{,", at)):
            part, at = "\\" + char, at + 1
        else:
            part, at = char, at + 1
        parts.append(part)
    return "".join(parts)


def _escape(expression: str, at: int) -> tuple[str, int]:
    char = expression[at + 1]
    if not char.isascii() or (char.isalnum() and char not in _LETTERS):
        raise ValueError(_BAD)
    return (f"\\{char}" if char.isalnum() else re.escape(char)), at + 2


def _bracket(expression: str, at: int) -> tuple[str, int]:
    """Return a bracket expression with everything escaped that only Python takes for special, and where it ends."""
    parts = ["["]
    at += 1
    if expression.startswith("^", at):
        parts.append("^")
        at += 1
    first = True
    while at < len(expression) and (first or expression[at] != "]"):
        part, at = _member(expression, at)
        parts.append(part)
        if expression.startswith("-", at) and expression[at + 1 : at + 2] not in ("", "]"):
            part, at = _member(expression, at + 1)
            parts.append("-" + part)
        first = False
    if at >= len(expression):
        raise ValueError(_BAD)
    return "".join(parts) + "]", at + 1


def _member(expression: str, at: int) -> tuple[str, int]:
    if expression[at] != "\\":
        return re.escape(expression[at]), at + 1
    if at + 1 >= len(expression):
        raise ValueError(_BAD)
    if expression[at + 1] in "bBA":
        raise ValueError(_BAD)
    return _escape(expression, at)


def _check(text: str) -> None:
    """Refuse what filepath.Match of Go refuses when it is asked whether the pattern matches ``.``: it stops where it does not."""
    start = _after_stars(text, 0)
    end = _check_part(text, start)
    part = text[start:end]
    if part in (".", "?", "\\.") or (part.startswith("[") and len(part) > 2 and _is_dot(part)):
        _check_part(text, _after_stars(text, end))


def _is_dot(part: str) -> bool:
    try:
        bracket, end = _bracket(part, 0)
        return end == len(part) and re.fullmatch(bracket, ".") is not None
    except (re.error, ValueError):
        return False


def _after_stars(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip("*"))


def _check_part(text: str, at: int) -> int:
    """Return where the part that begins here ends: at a star or the pattern's end."""
    while at < len(text) and text[at] != "*":
        if text[at] == "[":
            at = _check_bracket(text, at + 1)
        else:
            at += 2 if text[at] == "\\" else 1
    if at > len(text):
        raise ValueError(_BAD)
    return at


def _check_bracket(text: str, at: int) -> int:
    at += text.startswith("^", at)
    first = True
    while first or not text.startswith("]", at):
        at = _check_member(text, at)
        if text.startswith("-", at):
            at = _check_member(text, at + 1)
        first = False
    return at + 1


def _check_member(text: str, at: int) -> int:
    if text[at : at + 1] in ("", "-", "]"):
        raise ValueError(_BAD)
    at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise ValueError(_BAD)
    return at
