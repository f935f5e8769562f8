"""One logical line to its parts: keyword, flags, arguments, JSON form.

Source: frontend/dockerfile/parser (split_command.go, line_parsers.go) of BuildKit 0.34.
"""

from __future__ import annotations

import json
import math
import re

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.model import Flag, Pair
from quarterdeck.build.dockerfile.spaces import BLANKS, SPACE_SET, SPACES, trim

_SURROGATES = re.compile("[\ud800-\udfff]")


def split_line(line: str, escape: str) -> tuple[str, tuple[str, ...], str]:
    """Return the keyword as written, the flags with their quotes taken away, and the arguments."""
    keyword, *rest = BLANKS.split(trim(line), maxsplit=1)
    flags: list[str] = []
    at = 0
    text = rest[0] if rest else ""
    while True:
        while at < len(text) and text[at] in SPACE_SET:
            at += 1
        if not text.startswith("--", at):
            return keyword, tuple(flags), trim(text[at:])
        word, at = _flag_word(text, at, escape)
        if word == "--":
            return keyword, tuple(flags), trim(text[at:])
        flags.append(word)


def _flag_word(text: str, at: int, escape: str) -> tuple[str, int]:
    """Return the word that begins at ``at`` without its quotes, and where it ends."""
    parts: list[str] = []
    quote = ""
    while at < len(text) and (quote or text[at] not in SPACE_SET):
        char = text[at]
        at += 1
        if char == quote:
            quote = ""
        elif char in "'\"" and not quote:
            quote = char
        elif char == escape:
            parts.append(text[at : at + 1])
            at += 1
        else:
            parts.append(char)
    return "".join(parts), at


def flag_of(word: str) -> Flag:
    """Return the flag that ``--name``, ``--name=value`` is."""
    name, equals, value = word[2:].partition("=")
    return Flag(name, value if equals else None)


def split_words(text: str, escape: str) -> tuple[str, ...]:
    """Return the words, with quotes and escapes as written: white space inside quotes or after an escape does not split."""
    words: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in SPACE_SET:
            at += 1
        if at >= len(text):
            return tuple(words)
        word, at = _quoted_word(text, at, escape)
        if word:
            words.append(word)


def _quoted_word(text: str, at: int, escape: str) -> tuple[str, int]:
    start = at
    quote = ""
    while at < len(text) and (quote or text[at] not in SPACE_SET):
        char = text[at]
        if char == escape and quote != "'":
            if at + 1 == len(text):
                return text[start:at], at + 1
            at += 1
        elif char == quote:
            quote = ""
        elif char in "'\"" and not quote:
            quote = char
        at += 1
    return text[start:at], at


def json_form(text: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON array, None when the text is none, which makes it the shell form.

    Raises:
        SyntaxFault: it is a JSON array of something else than strings.
    """
    text = text.lstrip(SPACES)
    if not text.startswith("["):
        return None
    try:
        values = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(value, str) for value in values):
        raise SyntaxFault("a JSON array in an instruction holds only strings", hint='write ["program", "argument"], numbers in quotes too')
    return tuple(_SURROGATES.sub("\ufffd", value) for value in values)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _no_constant(text: str) -> float:
    raise ValueError(text)


def pairs_of(text: str, keyword: str, escape: str) -> tuple[Pair, ...]:
    """Return the pairs of ENV and LABEL: ``name=value ...``, or the old form ``name value``.

    Raises:
        SyntaxFault: the value or an ``=`` is missing.
    """
    words = split_words(text, escape)
    if words and "=" not in words[0]:
        name, *value = BLANKS.split(text, maxsplit=1)
        if not value:
            raise SyntaxFault(f"{keyword} {name} has no value", hint=f"write {keyword} {name}=value")
        return (Pair(name, value[0]),)
    for word in words:
        if "=" not in word:
            raise SyntaxFault(f"'{word}' in {keyword} has no '='", hint="write name=value, and quotes around values with spaces")
    return tuple(Pair(*word.split("=", 1)) for word in words)


def argument_pairs(text: str, escape: str) -> tuple[Pair, ...]:
    """Return the names of ARG with their defaults."""
    return tuple(
        Pair(name, value if equals else None) for name, equals, value in (word.partition("=") for word in split_words(text, escape))
    )
