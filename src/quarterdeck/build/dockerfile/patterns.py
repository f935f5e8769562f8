"""Shell patterns in ``${name#pattern}``, ``${name%pattern}`` and ``${name/pattern/text}``: only ``*`` and ``?``, no brackets.

Source: convertShellPatternToRegex, trimPrefix and trimSuffix in frontend/dockerfile/shell/lex.go of BuildKit 0.34. Matching walks over all
states at once, so that no pattern takes more time than its length times the text's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterdeck.build.dockerfile.errors import SyntaxFault

# Go's Regexp.Expand: the replacement of ${name//...} is a template of regexp, of which only $0 can stand for something.
_TEMPLATE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class _Token:
    """One character; or with an empty one any (``?``) or any number (``*``) of them, but no line's end."""

    char: str
    many: bool = False

    def takes(self, char: str) -> bool:
        return char == self.char if self.char else char != "\n"


def cut_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """Return the value without the shortest or longest start that the pattern matches.

    Raises:
        SyntaxFault: the pattern escapes what need not be.
    """
    end = _match(_tokens(pattern), value, 0, longest=longest)
    return value if end is None else value[end:]


def cut_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """Return the value without the shortest or longest end that the pattern matches.

    Raises:
        SyntaxFault: the pattern escapes what need not be.
    """
    return cut_prefix(value[::-1], _reversed(pattern), longest=longest)[::-1]


def replace_first(value: str, pattern: str, replacement: str) -> str:
    """Return the value with the replacement for the first longest part that the pattern matches.

    Raises:
        SyntaxFault: the pattern escapes what need not be.
    """
    tokens = _tokens(pattern)
    for start in range(len(value) + 1):
        end = _match(tokens, value, start, longest=True)
        if end is not None:
            return value[:start] + replacement + value[end:]
    return value


def replace_all(value: str, pattern: str, replacement: str) -> str:
    """Return the value with the replacement for every part that the pattern matches, from the left; ``$0`` in it is that part.

    Raises:
        SyntaxFault: the pattern escapes what need not be.
    """
    tokens = _tokens(pattern)
    parts: list[str] = []
    at, last = 0, -1
    while at <= len(value):
        end = _match(tokens, value, at, longest=True)
        if end is not None and (end > at or at != last):
            parts.append(_filled(replacement, value[at:end]))
            last = end
        if end is not None and end > at:
            at = end
            continue
        parts.append(value[at : at + 1])
        at += 1
    return "".join(parts)


def _filled(template: str, matched: str) -> str:
    def one(match: re.Match[str]) -> str:
        return "$" if match[1] else matched if (match[2] or match[3]) == "0" else ""

    return _TEMPLATE.sub(one, template)


def _match(tokens: list[_Token], value: str, start: int, *, longest: bool) -> int | None:
    """Return where the match that begins at ``start`` ends, None when there is none."""
    final = len(tokens)
    states = _closed({0}, tokens)
    found = start if final in states else None
    at = start
    while states and at < len(value) and (found is None or longest):
        states = _closed({state + (not tokens[state].many) for state in states if state < final and tokens[state].takes(value[at])}, tokens)
        at += 1
        if final in states:
            found = at
    return found


def _closed(states: set[int], tokens: list[_Token]) -> set[int]:
    """Return the states and those after the stars that match nothing."""
    reached = set(states)
    for state in states:
        following = state
        while following < len(tokens) and tokens[following].many:
            following += 1
            reached.add(following)
    return reached


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        following = pattern[at : at + 1]
        if char == "\\" and following not in ("}", "/"):
            if following not in ("*", "?", "\\") or not following:
                raise SyntaxFault(
                    f"the pattern '{pattern}' escapes '{following}', which needs none", hint="only * ? \\ } and / are escaped"
                )
            tokens.append(_Token(following))
            at += 1
        elif char in "*?":
            tokens.append(_Token("", many=char == "*"))
        elif char != "\\":
            tokens.append(_Token(char))
    return tokens


def _reversed(pattern: str) -> str:
    """Return the pattern from its end, each escape still before what it escapes."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        size = 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        parts.append(pattern[at : at + size])
        at += size
    return "".join(reversed(parts))
