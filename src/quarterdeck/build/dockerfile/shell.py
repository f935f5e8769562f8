"""Words and variables as BuildKit's shell lexer reads them: quotes, escapes, ``$name`` and ``${name...}``.

Source: frontend/dockerfile/shell/lex.go of BuildKit 0.34. It is close to POSIX sh and differs in places: ``$1`` and ``$?`` are names
like others, an unset variable is empty, ``<<`` takes the white space after it along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from quarterdeck.build.dockerfile import patterns
from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.spaces import SPACE_SET

# BuildKit recurses without a limit; nobody nests this deep, and Python's stack ends much earlier than Go's.
MAX_DEPTH = 64
_SPECIAL = frozenset("@*#?-$!0")
_NO_END = "syntax error: missing '}' in ${...}"


@dataclass(frozen=True)
class Rules:
    """What to keep: quotes, escape characters, variables that are not set; ``quotes`` False takes quotes for plain characters."""

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    quotes: bool = True


@dataclass
class Words:
    """The text that was read, and the same split at white space that is neither quoted nor escaped."""

    parts: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _word: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.parts)

    @property
    def words(self) -> tuple[str, ...]:
        """The words; an empty one counts only when something follows it at once."""
        last = "".join(self._word)
        return (*self._words, last) if last else tuple(self._words)

    def add(self, text: str, *, raw: bool) -> None:
        """Add text, which ends words at its white space unless it is ``raw``."""
        self.parts.append(text)
        if raw:
            self._word.append(text)
            return
        for char in text:
            self._add_char(char)

    def _add_char(self, char: str) -> None:
        if char not in SPACE_SET:
            self._word.append(char)
        elif word := "".join(self._word):
            self._words.append(word)
            self._word = []


class ShellLexer:
    """Reads one text once; ``names`` are the variables that were asked for."""

    def __init__(self, text: str, variables: Mapping[str, str], rules: Rules) -> None:
        self.names: set[str] = set()
        self._text = text
        self._at = 0
        self._variables = variables
        self._rules = rules
        self._depth = 0

    def read(self) -> Words:
        """Return what the text stands for.

        Raises:
            SyntaxFault: a quote or brace has no end, an operator is unknown, or ``${name:?}`` refuses.
        """
        return self._until("", self._rules.raw_escapes)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        self._at += len(char)
        return char

    def _until(self, stop: str, raw_escapes: bool, *, pattern: bool = False) -> Words:
        """Read to ``stop`` or the end; a ``pattern`` keeps what its own reader has to see escaped."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SyntaxFault(f"variables are nested more than {MAX_DEPTH} deep")
        outer = self._rules
        self._rules = replace(outer, raw_escapes=raw_escapes) if raw_escapes != outer.raw_escapes else outer
        words = Words()
        while char := self._peek():
            if char == stop:
                break
            self._piece(char, words, pattern)
        if stop and not self._take():
            raise SyntaxFault(f"the statement ends where '{stop}' should follow")
        self._rules = outer
        self._depth -= 1
        return words

    def _piece(self, char: str, words: Words, pattern: bool) -> None:
        if char == "$":
            words.add(self._dollar(), raw=False)
        elif char == "<":
            words.add(self._less(), raw=True)
        elif char in "'\"" and self._rules.quotes:
            words.add(self._single(pattern) if char == "'" else self._double(pattern), raw=True)
        elif self._take() != self._rules.escape:
            words.add(char, raw=False)
        else:
            words.add((char if self._rules.raw_escapes else "") + self._take(), raw=True)

    def _less(self) -> str:
        self._take()
        if self._peek() != "<":
            return "<"
        start = self._at
        self._take()
        while self._peek() in ("\t", "\r", " "):
            self._take()
        return "<" + self._text[start : self._at]

    def _single(self, pattern: bool) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise SyntaxFault("a single quote has no end")
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        if pattern:
            inside = inside.replace(self._rules.escape, self._rules.escape * 2)
        return f"'{inside}'" if self._rules.raw_quotes else inside

    def _double(self, pattern: bool) -> str:
        quote = '"' if self._rules.raw_quotes else ""
        self._take()
        parts = [quote]
        while (char := self._peek()) != '"':
            if not char:
                raise SyntaxFault("a double quote has no end")
            parts.append(self._dollar() if char == "$" else self._double_char(pattern))
        self._take()
        return "".join(parts) + quote

    def _double_char(self, pattern: bool) -> str:
        char = self._take()
        escape = self._rules.escape
        if char != escape or not self._peek():
            return "" if char == escape else char
        if self._peek() in ('"', "$", escape):
            return (escape if self._rules.raw_escapes else "") + self._take()
        return char * 2 if self._rules.raw_escapes and (pattern or not self._rules.raw_quotes) else char

    def _dollar(self) -> str:
        self._take()
        if self._peek() != "{":
            name = self._name()
            value = self._get(name) if name else "$"
            return f"${name}" if value is None and self._rules.keep_unset else value or ""
        self._take()
        if not self._peek():
            raise SyntaxFault(_NO_END)
        if self._peek() in "{}:":
            raise SyntaxFault("syntax error: no variable's name follows ${")
        return self._substitution(self._name())

    def _substitution(self, name: str) -> str:
        operator = self._take()
        if operator == "}":
            value = self._get(name)
            return f"${{{name}}}" if value is None and self._rules.keep_unset else value or ""
        if operator == "/":
            return self._replace(name)
        if operator == ":":
            operator += self._take()
            if operator == ":}" and not self._rules.keep_unset:
                raise _unknown(name, ":")
        if operator in ("-", "+", "?") or (len(operator) == 2 and operator[1] not in "#%"):
            return self._condition(name, operator)
        if operator in ("#", "%"):
            return self._cut(name, operator)
        raise _unknown(name, operator)

    def _condition(self, name: str, operator: str) -> str:
        word = self._operand("}", raw_escapes=False)
        value = self._get(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}{operator}{word}}}"
        if operator[-1] not in "-+?":
            raise _unknown(name, operator)
        missing = value is None or (operator[0] == ":" and not value)
        if operator[-1] == "+":
            return "" if missing else word
        if operator[-1] == "-" or not missing:
            return word if missing else value or ""
        raise SyntaxFault(f"{name}: {word or ('is not allowed to be unset' if value is None else 'is not allowed to be empty')}")

    def _cut(self, name: str, operator: str) -> str:
        word = self._operand("}", raw_escapes=True, pattern=True)
        value = self._get(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}{operator}{word}}}"
        longest = word.startswith(operator)
        cut = patterns.cut_prefix if operator == "#" else patterns.cut_suffix
        return cut(value or "", word[1:] if longest else word, longest=longest)

    def _replace(self, name: str) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._take()
        pattern = self._operand("/", raw_escapes=True, pattern=True)
        replacement = self._operand("}", raw_escapes=True)
        value = self._get(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        substitute: Callable[[str, str, str], str] = patterns.replace_all if everywhere else patterns.replace_first
        return substitute(value or "", pattern, replacement)

    def _operand(self, stop: str, *, raw_escapes: bool, pattern: bool = False) -> str:
        return self._until(stop, raw_escapes, pattern=pattern).text

    def _name(self) -> str:
        start = self._at
        first = self._peek()
        if first.isdecimal():
            while self._peek().isdecimal():
                self._take()
        elif first and first in _SPECIAL:
            self._take()
        else:
            while (char := self._peek()) and (char == "_" or char.isalpha() or char.isdecimal()):
                self._take()
        return self._text[start : self._at]

    def _get(self, name: str) -> str | None:
        self.names.add(name)
        return self._variables.get(name)


def _unknown(name: str, operator: str) -> SyntaxFault:
    return SyntaxFault(f"'{operator}' is no operator in ${{{name}{operator}...}}" if operator else _NO_END)
