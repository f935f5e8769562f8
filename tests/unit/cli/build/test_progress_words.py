import pytest
from rich.text import Text
from tests.unit.cli.build.progress_scenes import ARM

from quarterdeck.build.engines.events import named_step
from quarterdeck.cli.build.progress.board import Failure
from quarterdeck.cli.build.progress.fit import Piece, cut, fit
from quarterdeck.cli.build.progress.words import clock_time, failure_lines, label, of_it_emulated, took


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0s"), (3.24, "3.2s"), (59.96, "1m00s"), (65, "1m05s"), (3599.7, "1h00m"), (3720, "1h02m")]
)
def test_what_something_took_is_short(seconds, text):
    assert took(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0:00"), (63, "1:03"), (3723, "1:02:03")])
def test_a_running_time_is_a_clock(seconds, text):
    assert clock_time(seconds) == text


@pytest.mark.parametrize(("seconds", "emulated", "text"), [(9, 0.01, ""), (9, 3, "3.0s emulated"), (9, 8.96, "all emulated")])
def test_emulated_time_is_named_when_there_is_some(seconds, emulated, text):
    assert of_it_emulated(seconds, emulated) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("[2/3] RUN x", "[2/3]"),
        ("[linux/arm64 build 2/3] RUN x", "[build 2/3]"),
        ("[linux/amd64->arm64 build 2/3] RUN x", "[linux/amd64->arm64 build 2/3]"),
        ("exporting to image", ""),
    ],
)
def test_a_place_names_the_platform_only_where_it_is_another_one(name, text):
    assert label(named_step("1", name), ARM) == text


@pytest.mark.parametrize(
    ("error", "lines", "heading"),
    [
        ("exit code: 2", (), "linux/arm64  RUN x failed: exit code: 2"),
        ("exit code: 2", ("a", "Error: exit code: 2"), "linux/arm64  RUN x failed; its last lines:"),
        ("exit code: 2", ("exit code: 2", "a", "b", "c"), "linux/arm64  RUN x failed: exit code: 2; its last lines:"),
        ("", ("a",), "linux/arm64  RUN x failed; its last lines:"),
    ],
)
def test_an_error_is_said_once(error, lines, heading):
    assert failure_lines(Failure(ARM, "RUN x", error, lines), width=12) == [heading, *(f"linux/arm64  | {line}" for line in lines)]


def test_a_long_step_that_failed_is_cut():
    assert failure_lines(Failure(ARM, f"RUN {'x' * 500}", "", ())) == [f"linux/arm64 RUN {'x' * 68}... failed"]


@pytest.mark.parametrize(("width", "text"), [(9, "漢字漢字"), (8, "漢字漢字"), (7, "漢字漢…"), (6, "漢字…"), (1, "…"), (0, "")])
def test_a_text_is_cut_by_columns(width, text):
    assert cut(Text("漢字漢字"), width, ellipsis="…").plain == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (60, "a  bbbbb  a long text about a thing  ccc"),
        (35, "a  bbbbb  a long text about a…  ccc"),
        (29, "a  bbbbb  a long text a…  ccc"),
        (28, "a  a long text about a…  ccc"),
        (22, "a  a long text a…  ccc"),
        (21, "a  ccc"),
        (4, "a…"),
    ],
)
def test_texts_are_cut_before_anything_is_left_out(width, text):
    pieces = [Piece(Text("a")), Piece(Text("bbbbb"), 3), Piece(Text("a long text about a thing"), 1, shrinks=True), Piece(Text("ccc"))]
    assert fit([*pieces, Piece(Text(""))], width, ellipsis="…").plain == text
