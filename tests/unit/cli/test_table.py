import pytest
from rich.text import Text

from quarterdeck.cli.output import results
from quarterdeck.cli.table import Column, fitting, print_columns, print_rows

COLUMNS = (Column("NAME"), Column("STATE", rank=1), Column("BOOT", rank=3), Column("CONSOLE", rank=2))


@pytest.mark.parametrize(
    ("room", "kept"),
    [(80, [0, 1, 2, 3]), (47, [0, 1, 2, 3]), (46, [0, 1, 3]), (36, [0, 1, 3]), (35, [0, 1]), (19, [0]), (3, [0])],
)
def test_least_important_columns_are_left_out_first(room, kept):
    assert fitting(COLUMNS, [10, 8, 9, 14], room) == kept


def test_rows_are_as_wide_as_their_cells_on_screen(capsys):
    print_rows([["名前", "x"], ["abcdef", Text("y", style="red")]])
    assert capsys.readouterr().out == "名前    x\nabcdef  y\n"


def test_pipe_gets_all_columns(capsys, monkeypatch):
    monkeypatch.setattr(results, "_width", 10)
    print_columns(COLUMNS, [["a" * 30, "b", "c", "d"]])
    assert capsys.readouterr().out.split() == ["NAME", "STATE", "BOOT", "CONSOLE", "a" * 30, "b", "c", "d"]
