"""Lines that fit: what matters least is left out rather than broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_GAP = 2
_WORTH_SHOWING = 14
"""Columns below which the beginning of a text says nothing."""


@dataclass(frozen=True)
class Piece:
    """A part of a line; where not all fit, those with the highest ``rank`` go first, 0 never. One that ``shrinks`` is cut before that."""

    text: Text
    rank: int = 0
    shrinks: bool = False

    @property
    def least(self) -> int:
        """Columns that it needs."""
        return min(self.text.cell_len, _WORTH_SHOWING) if self.shrinks else self.text.cell_len


def fit(pieces: Sequence[Piece], width: int, *, ellipsis: str) -> Text:
    """Return a line of at most ``width`` columns."""
    kept = [piece for piece in pieces if piece.text.plain]
    while _needs(kept) > width and (least := max(piece.rank for piece in kept)):
        kept = [piece for piece in kept if piece.rank < least]
    spare = width - _needs(kept)
    line = Text(no_wrap=True, overflow="crop")
    for piece in kept:
        columns = piece.least + max(0, spare) if piece.shrinks else piece.text.cell_len
        spare -= max(0, min(columns, piece.text.cell_len) - piece.least)
        line.append(" " * _GAP if line.plain else "").append_text(cut(piece.text, columns, ellipsis=ellipsis))
    return cut(line, width, ellipsis=ellipsis)


def cut(text: Text, width: int, *, ellipsis: str) -> Text:
    """Return the text in at most ``width`` columns."""
    if text.cell_len <= width:
        return text
    room = max(0, width - cell_len(ellipsis))
    shorter = text.copy()
    shorter.truncate(room, overflow="crop")
    shorter.rstrip()
    return shorter.append(ellipsis[: max(0, width)])


def _needs(pieces: Sequence[Piece]) -> int:
    return sum(piece.least for piece in pieces) + _GAP * max(0, len(pieces) - 1)
