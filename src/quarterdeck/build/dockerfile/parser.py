"""``parse``: the text of a Dockerfile to its instructions, refusing what BuildKit refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from quarterdeck.build.dockerfile import words
from quarterdeck.build.dockerfile.errors import DockerfileError, located
from quarterdeck.build.dockerfile.grammar import check, check_stages
from quarterdeck.build.dockerfile.heredocs import heredocs_of
from quarterdeck.build.dockerfile.lines import LineReader
from quarterdeck.build.dockerfile.model import Dockerfile, Flag, Heredoc, Instruction, Notice, Pair, Span
from quarterdeck.build.dockerfile.spaces import BLANKS, SPACES

# In bytes; the most that BuildKit 0.34 loads (frontend/dockerui/readfile.go).
MAX_SIZE = 16 * 1024 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = ("FROM", "EXPOSE", "COPY", "ADD", "VOLUME")
_JSON = ("RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME")
_WITH_HEREDOCS = ("RUN", "COPY", "ADD")


@dataclass(frozen=True)
class _Parts:
    """What one logical line says, before its here-documents are read."""

    keyword: str
    flags: tuple[Flag, ...]
    text: str
    words: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    trigger: _Parts | None = None


def parse(text: str | bytes, *, name: str = "Dockerfile") -> Dockerfile:
    """Return the Dockerfile.

    Args:
        text: what the file contains. Bytes that are not UTF-8 are kept in ``Dockerfile.text`` and noticed.
        name: what messages call the file.

    Raises:
        DockerfileError: BuildKit would refuse it whatever is built from it; with the line.
    """
    if len(text) > MAX_SIZE or len(text) * 4 > MAX_SIZE < len(_bytes(text)):
        raise DockerfileError(
            f"the file is bigger than {MAX_SIZE // 1024**2} MiB, the most that BuildKit reads",
            name=name,
            line=1,
            hint="COPY data from files of its own",
            key="dockerfile-too-big",
        )
    whole = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    clean = _SURROGATE.sub("\ufffd", whole)
    reader = LineReader(clean, name)
    instructions = tuple(_instructions(reader, name))
    check_stages(instructions, name)
    return Dockerfile(name, whole, reader.directives(), instructions, (*reader.notices, *_not_text(whole)))


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _not_text(whole: str) -> tuple[Notice, ...]:
    match = _SURROGATE.search(whole)
    return (Notice(whole.count("\n", 0, match.start()) + 1, "the file is not UTF-8 from here on"),) if match else ()


def _instructions(reader: LineReader, name: str) -> Iterator[Instruction]:
    while (line := reader.logical()) is not None:
        first = line.span.first
        with located(name, first):
            parts = _read(line.text, reader.escape)
            starts = heredocs_of(line.text) if _can_have_heredocs(parts.trigger or parts) else ()
        heredocs = tuple(reader.heredoc(start, first=first) for start in starts)
        span = Span(first, reader.number)
        instruction = _instruction(parts, heredocs, span=span, source=reader.source(span))
        with located(name, first):
            check(instruction)
        if not all(str(flag).isascii() for flag in instruction.flags):
            reader.notices.append(
                Notice(first, "BuildKit misreads characters in flags that are not ASCII: it takes their bytes one by one")
            )
        yield instruction


def _can_have_heredocs(parts: _Parts) -> bool:
    return parts.keyword in _WITH_HEREDOCS and parts.words is None


def _instruction(parts: _Parts, heredocs: tuple[Heredoc, ...], *, span: Span, source: str) -> Instruction:
    trigger = _instruction(parts.trigger, heredocs, span=span, source=source) if parts.trigger else None
    return Instruction(
        parts.keyword, parts.flags, parts.text, parts.words, heredocs, span, source, parts.arguments, parts.pairs, trigger
    )  # fmt: skip


def _read(line: str, escape: str) -> _Parts:
    """Return the parts of a logical line.

    Raises:
        SyntaxFault: its arguments have a form that the keyword has not.
    """
    keyword, flags, text = words.split_line(line, escape)
    parts = _Parts(keyword.upper(), tuple(words.flag_of(flag) for flag in flags), text)
    if parts.keyword == "HEALTHCHECK":
        return _healthcheck(parts)
    if parts.keyword == "ONBUILD":
        return replace(parts, arguments=_some(text), trigger=_trigger(text, escape))
    if parts.keyword == "ARG":
        return replace(parts, arguments=words.split_words(text, escape), pairs=words.argument_pairs(text, escape))
    if parts.keyword in ("ENV", "LABEL"):
        return replace(parts, arguments=_some(text), pairs=words.pairs_of(text, parts.keyword, escape))
    form = words.json_form(text) if parts.keyword in _JSON else None
    plain = tuple(BLANKS.split(text)) if text and parts.keyword in _WORDS else _some(text)
    return replace(parts, words=form, arguments=plain if form is None else form)


def _trigger(text: str, escape: str) -> _Parts | None:
    """Return what ONBUILD keeps; only one level, since ONBUILD in ONBUILD is refused anyway."""
    if not text:
        return None
    if words.split_line(text, escape)[0].upper() == "ONBUILD":
        return _Parts("ONBUILD", (), text)
    return _read(text, escape)


def _healthcheck(parts: _Parts) -> _Parts:
    kind = re.split(f"[{SPACES}]", parts.text, maxsplit=1)[0]
    command = parts.text[len(kind) :].lstrip(SPACES)
    form = words.json_form(command)
    return replace(parts, words=form, arguments=(*_some(kind), *(_some(command) if form is None else form)))


def _some(text: str) -> tuple[str, ...]:
    return (text,) if text else ()
