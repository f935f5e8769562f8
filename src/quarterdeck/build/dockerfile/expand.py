"""Variables in the text of an instruction: ``expand``, ``expand_words`` and ``used_names``."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.build.dockerfile.shell import Rules, ShellLexer


def expand(
    text: str,
    variables: Mapping[str, str],
    *,
    escape: str = "\\",
    keep_unset: bool = False,
    raw_quotes: bool = False,
    raw_escapes: bool = False,
    quotes: bool = True,
) -> str:
    """Return the text with variables replaced, quotes taken away and escaped characters plain.

    Args:
        text: one argument of an instruction.
        variables: what is set; others are empty.
        escape: the file's escape character.
        keep_unset: leave ``$name`` and ``${name...}`` as they are when the name is not set.
        raw_quotes: keep quotes.
        raw_escapes: keep escape characters.
        quotes: False takes quotes for plain characters, as in the content of here-documents.

    Raises:
        SyntaxFault: a quote or brace has no end, an operator is unknown, or ``${name:?text}`` refuses.
    """
    rules = Rules(escape, raw_quotes=raw_quotes, raw_escapes=raw_escapes, keep_unset=keep_unset, quotes=quotes)
    return ShellLexer(text, variables, rules).read().text


def expand_words(text: str, variables: Mapping[str, str], *, escape: str = "\\") -> tuple[str, ...]:
    """Return the words of the text with variables replaced before it is split, as EXPOSE has them.

    Raises:
        SyntaxFault: as ``expand``.
    """
    return ShellLexer(text, variables, Rules(escape)).read().words


def used_names(text: str, *, escape: str = "\\") -> frozenset[str]:
    """Return the names of the variables that the text may need, those in defaults too.

    Raises:
        SyntaxFault: the text cannot be read.
    """
    lexer = ShellLexer(text, {}, Rules(escape, keep_unset=True))
    lexer.read()
    return frozenset(lexer.names)
