"""Tables that fit: columns are left out rather than broken."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from quarterdeck.cli.output import results

Cell = str | Text
_GAP = 2


@dataclass(frozen=True)
class Column:
    """A column by its title; where not all fit, those with the highest ``rank`` are left out first, 0 never."""

    title: str
    rank: int = 0


def print_columns(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows of cells below their titles: all columns in a pipe, those that fit on a terminal."""
    table: list[Sequence[Cell]] = [[Text(column.title, style="bold") for column in columns], *rows]
    if results.is_terminal:
        kept = fitting(columns, _widths(table), results.width)
        table = [[row[index] for index in kept] for row in table]
    print_rows(table)


def print_folded(rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows without titles: folded to the width of a terminal, one line for each row in a pipe."""
    if not results.is_terminal:
        print_rows(rows)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(max(map(len, rows), default=0)):
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    results.print(table, soft_wrap=False)


def print_rows(rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows in columns that are as wide as their widest cell; with colours only on a terminal."""
    widths = _widths(rows)
    for row in rows:
        line = Text()
        for cell, width in zip(row, widths, strict=True):
            line.append_text(Text(cell) if isinstance(cell, str) else cell)
            line.append(" " * (width - cell_len(str(cell)) + _GAP))
        line.rstrip()
        if results.is_terminal:
            results.print(line, no_wrap=True, overflow="ignore", crop=False)
        else:
            sys.stdout.write(f"{line.plain}\n")


def fitting(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return which columns fit into ``room`` characters, in their order."""
    kept = list(range(len(columns)))
    while sum(widths[index] + _GAP for index in kept) - _GAP > room:
        least = max(kept, key=lambda index: columns[index].rank)
        if columns[least].rank == 0:
            break
        kept.remove(least)
    return kept


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [max(cell_len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
