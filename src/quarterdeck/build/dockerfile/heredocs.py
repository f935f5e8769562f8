"""Here-documents: which words of a line start one.

Source: frontend/dockerfile/parser/parser.go of BuildKit 0.34 (heredocsFromLine): the line is split like a shell would, with quotes
and escapes kept; a word counts when nothing but a number stands before its ``<<``. A line that cannot be split starts none.
"""

from __future__ import annotations

import re

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.model import Heredoc, Span
from quarterdeck.build.dockerfile.shell import Rules, ShellLexer

_WORD = re.compile(r"(\d*)<<(-?)[\t\n\f\r ]*([^<]*)", re.ASCII)
_LINE = Rules(raw_quotes=True, raw_escapes=True, keep_unset=True)
_NOWHERE = Span(0, 0)


def heredocs_of(line: str) -> tuple[Heredoc, ...]:
    """Return the here-documents that a line starts, still without content, in the order in which they follow.

    Raises:
        SyntaxFault: the name of one has quotes without an end.
    """
    if "<<" not in line:
        return ()
    try:
        words = ShellLexer(line, {}, _LINE).read().words
    except SyntaxFault:
        return ()
    found = (heredoc_of(word) for word in words)
    return tuple(doc for doc in found if doc is not None)


def heredoc_of(word: str) -> Heredoc | None:
    """Return the here-document that a word starts, None when it starts none.

    Raises:
        SyntaxFault: its name has quotes without an end.
    """
    match = _WORD.fullmatch(word)
    if match is None or not match[3]:
        return None
    plain = ShellLexer(match[3], {}, Rules(keep_unset=True)).read().words
    if len(plain) != 1:
        return None
    raw = ShellLexer(match[3], {}, Rules(raw_quotes=True, keep_unset=True)).read().words
    quoted = len(raw) != 1 or _quotes(plain[0]) != _quotes(raw[0])
    return Heredoc(plain[0], "", not quoted, match[2] == "-", _NOWHERE)


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
