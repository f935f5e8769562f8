"""The simple commands of a RUN instruction, each word with its place in the Dockerfile.

Reads as much of the shell's grammar (POSIX.1-2024, volume Shell and Utilities, chapter 2) as advice needs: words, quotes, expansions,
operators and redirections. What the reader cannot follow makes a script not ``plain``, and then nothing is changed without asking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from quarterdeck.build.advice.text import Flat, Word, flat_command, flat_heredoc
from quarterdeck.build.dockerfile.model import Dockerfile, Instruction

_RESERVED = {"if", "then", "else", "elif", "fi", "for", "do", "done", "case", "esac", "while", "until", "{", "}", "!", "time", "function"}
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
_OPERATORS = ("&&", "||", ";;", ";", "|&", "|", "&", "(", ")", "\n")
_REDIRECTION = re.compile(r"[0-9]*(?:<<-?|<>|<&|>>|>&|>\||&>>|&>|<|>)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+,~-]+(?=[ \t])")
_CLOSING = {"'": "'", '"': '"', "`": "`", "(": ")", "{": "}"}


@dataclass(frozen=True)
class Command:
    """A simple command: assignments before it, then its words, the first of which is the program."""

    assignments: tuple[Word, ...]
    words: tuple[Word, ...]

    @cached_property
    def program(self) -> str:
        """Name of the program without its folder; empty when there are only assignments."""
        return self.words[0].text.rpartition("/")[2] if self.words else ""

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The words after the program, without quotes."""
        return tuple(word.text for word in self.words[1:])

    def assigned(self, name: str) -> Word | None:
        """Return the assignment of ``name`` for this command."""
        return next((word for word in self.assignments if word.text.startswith(f"{name}=")), None)


@dataclass(frozen=True)
class Script:
    """What one RUN does. ``plain``: nothing but simple commands joined by && or ;, each of which was understood."""

    commands: tuple[Command, ...]
    plain: bool


def read_script(dockerfile: Dockerfile, instruction: Instruction) -> Script:
    """Return the commands of a RUN instruction; the exec form and here-documents for other programs are not plain."""
    if instruction.words is not None:
        return Script((), plain=False)
    flat = flat_command(dockerfile, instruction)
    if not instruction.heredocs:
        return _read(flat)
    if len(instruction.heredocs) == 1 and re.fullmatch(r"<<-?\s*\S+", instruction.text.strip()):
        return _read(flat_heredoc(dockerfile, instruction.heredocs[0]))
    return Script(_read(flat).commands, plain=False)


class _Reader:
    """Cuts flat text into words and commands."""

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.at = 0
        self.plain = True
        self.words: list[Word] = []
        self.commands: list[Command] = []

    def read(self) -> Script:
        while self.at < len(self.flat.text):
            self._step()
        self._end_command()
        return Script(tuple(self.commands), self.plain)

    def _step(self) -> None:
        text, at = self.flat.text, self.at
        if text[at] in " \t\r":
            self.at += 1
        elif text[at] == "#":
            self.at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif plain := _PLAIN.match(text, at):
            # Most words: nothing in them but letters, digits and signs without a meaning.
            self.at = plain.end()
            self.words.append(self.flat.word(at, self.at))
        elif redirection := _REDIRECTION.match(text, at):
            self._redirect(redirection.end())
        elif operator := next((sign for sign in _OPERATORS if text.startswith(sign, at)), ""):
            self.plain &= operator in ("&&", ";", "\n", "|")
            self.at += len(operator)
            self._end_command()
        else:
            self.words.append(self._word())

    def _redirect(self, end: int) -> None:
        """Skip a redirection and its target; the words of a command are without them."""
        text = self.flat.text
        if "<<" in text[self.at : end]:
            self.plain = False
        self.at = end
        while self.at < len(text) and text[self.at] in " \t":
            self.at += 1
        if self.at < len(text):
            self._word()

    def _word(self) -> Word:
        start, text = self.at, self.flat.text
        while self.at < len(text) and text[self.at] not in " \t\r\n;|&()<>":
            self._character()
        self.at = max(self.at, start + 1)
        return self.flat.word(start, self.at)

    def _character(self) -> None:
        text = self.flat.text
        sign = text[self.at]
        if sign == "\\":
            self.at += 2
        elif sign == "$" and text[self.at + 1 : self.at + 2] in ("(", "{"):
            self.at += 1
            self._enclosed(text[self.at])
        elif sign in "'\"`":
            self._enclosed(sign)
        else:
            self.at += 1

    def _enclosed(self, opening: str) -> None:
        """Go behind the sign that closes ``opening``; one that never closes takes the rest, and the script is not plain."""
        text, closing = self.flat.text, _CLOSING[opening]
        self.at += 1
        while self.at < len(text) and text[self.at] != closing:
            if opening == "'":
                self.at += 1
            elif opening == "`":
                self.at += 2 if text[self.at] == "\\" else 1
            elif opening == "(" and text[self.at] == "(":
                self._enclosed("(")
            else:
                self._quoted(opening)
        self.plain &= self.at < len(text)
        self.at += 1

    def _quoted(self, opening: str) -> None:
        if opening == '"' and self.flat.text[self.at] == "'":
            self.at += 1
        else:
            self._character()

    def _end_command(self) -> None:
        words, self.words = self.words, []
        while words and words[0].raw in _RESERVED:
            self.plain = False
            words = words[1:]
        count = next((number for number, word in enumerate(words) if not _ASSIGNMENT.match(word.raw)), len(words))
        if words:
            self.commands.append(Command(tuple(words[:count]), tuple(words[count:])))


def _read(flat: Flat) -> Script:
    return _Reader(flat).read()
