import pytest

from quarterdeck.build.engines.text import one_line, plain


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1b(Bb\x1bcc", "abc"),
        ("a\x08\x08b\x00\x7f", "ab"),
        ("\u202eevil\u2066", "evil"),
        ("tab\tstays  ", "tab\tstays"),
        ("\x1b", ""),
        ("\x9b31mc1", "31mc1"),
    ],
)
def test_what_a_terminal_would_obey_is_gone(line: str, shown: str) -> None:
    assert plain(line) == shown


def test_long_lines_are_cut() -> None:
    assert len(plain("x" * 100_000)) == 4097


def test_several_lines_become_one() -> None:
    assert one_line("RUN a \\\n  && b") == "RUN a \\ && b"
