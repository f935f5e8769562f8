"""Applies the changes of advice to the text of a Dockerfile, and shows them as a diff."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.dockerfile.model import Dockerfile


@dataclass(frozen=True, order=True)
class _Change:
    """An edit by its place in the whole text, in characters."""

    start: int
    end: int
    text: str
    whole_lines: bool


def apply(dockerfile: Dockerfile, advices: Iterable[Advice], *, unsafe: bool = False) -> str:
    """Return the text with the changes that are known to be safe, or with all of them.

    Advice is taken whole or not at all: of two that would change the same words the later one is left out, and comes again when the
    result is looked at anew.
    """
    text = dockerfile.text
    taken: list[_Change] = []
    for advice in advices:
        if advice.patch is None or not (advice.safe or unsafe):
            continue
        changes = [_located(text, edit) for edit in advice.patch]
        together = sorted({*taken, *changes})
        if _disjoint(together):
            taken = together
    return _changed(text, _each_declared_once(text, dockerfile, taken))


def unified_diff(dockerfile: Dockerfile, advices: Iterable[Advice], *, unsafe: bool = False) -> str:
    """Return what :func:`apply` would change as a unified diff that ``patch -p1`` takes; empty when it would change nothing."""
    return difference(dockerfile, apply(dockerfile, advices, unsafe=unsafe))


def difference(dockerfile: Dockerfile, text: str) -> str:
    """Return how ``text`` differs from the Dockerfile, as a unified diff."""
    before, after = _lines(dockerfile.text), _lines(text)
    path = dockerfile.name.lstrip("/")
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _located(text: str, edit: Edit) -> _Change:
    lines = text.split("\n")
    begin = sum(len(line) + 1 for line in lines[: edit.line - 1])
    line = lines[edit.line - 1]
    ending = "\r\n" if line.endswith("\r") else "\n"
    past = edit.end > len(line.removesuffix("\r"))
    end = min(begin + len(line) + 1, len(text)) if past else begin + edit.end
    return _Change(begin + edit.column, end, edit.text.replace("\n", ending), edit.whole_lines)


def _disjoint(changes: list[_Change]) -> bool:
    return all(_apart(first, second) for first, second in pairwise(changes))


def _apart(first: _Change, second: _Change) -> bool:
    if first.start == second.start:
        # Lines put before the same line do not touch each other, nor what becomes of that line.
        return first.whole_lines
    return first.end <= second.start


def _each_declared_once(text: str, dockerfile: Dockerfile, changes: list[_Change]) -> list[_Change]:
    """Leave out lines such as ``ARG TARGETARCH`` that an earlier change puts into the same stage."""
    starts = [instruction.span.first for instruction in dockerfile.instructions if instruction.keyword == "FROM"]
    seen: set[tuple[int, str]] = set()
    result = []
    for change in changes:
        if not change.whole_lines:
            result.append(change)
            continue
        stage = bisect_right(starts, text.count("\n", 0, change.start) + 1)
        lines = change.text.splitlines(keepends=True)
        kept = [line for line in lines if (stage, line.strip()) not in seen or not line.lstrip().startswith("ARG ")]
        seen.update((stage, line.strip()) for line in lines)
        result.append(replace(change, text="".join(kept)))
    return result


def _changed(text: str, changes: list[_Change]) -> str:
    parts, at = [], 0
    for change in changes:
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:]])


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; unlike str.splitlines only a newline ends one, as in a Dockerfile."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    return lines if lines[-1] else lines[:-1]
