import pytest

from quarterdeck.cli.logs import _print_from, _start


@pytest.mark.parametrize(("lines", "kept"), [(None, b"a\nb\nc\n"), (0, b""), (1, b"c\n"), (2, b"b\nc\n"), (9, b"a\nb\nc\n")])
def test_last_lines_are_found_from_the_end(tmp_path, lines, kept):
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\nc\n")
    assert path.read_bytes()[_start(path, lines) :] == kept


def test_last_lines_of_a_long_log_without_a_final_newline(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 200_000 + b"\n" + b"y" * 100_000)
    assert path.read_bytes()[_start(path, 1) :] == b"y" * 100_000


def test_log_that_is_not_there_yet_is_empty(tmp_path):
    assert _print_from(tmp_path / "none", _start(tmp_path / "none", 3)) == 0
