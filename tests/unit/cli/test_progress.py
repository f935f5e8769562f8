import io
import json

import pytest
from rich.console import Console

from quarterdeck.cli import output
from quarterdeck.cli.output import Progress
from quarterdeck.cli.progress import live, renderer
from quarterdeck.cli.progress.lines import JsonRenderer
from quarterdeck.cli.progress.live import LiveRenderer
from quarterdeck.cli.progress.plain import PlainRenderer
from quarterdeck.cli.progress.words import amount


def step(status="running", **fields):
    return {"step": "image", "status": status, "detail": "a detail", "done": None, "total": None, "unit": "bytes", "time": 0.0, **fields}


def shown(monkeypatch, *, terminal=False, encoding="utf-8", width=100):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", write_through=True)
    console = Console(file=file, force_terminal=terminal, width=width, color_system=None)
    for module in (output, live):
        monkeypatch.setattr(module, "messages", console)
    return lambda: file.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"done": 3, "unit": "steps"}, "3"),
        ({"done": 3, "total": 8, "unit": "steps"}, "3 of 8"),
        ({"done": 1 << 20, "total": 3 << 20}, "1 MiB of 3 MiB"),
    ],
)
def test_amount_is_what_people_read(fields, text):
    assert amount(step(**fields)) == text


@pytest.mark.parametrize(
    ("terminal", "mode", "kind"),
    [
        (False, Progress.AUTO, PlainRenderer),
        (True, Progress.AUTO, LiveRenderer),
        (True, Progress.PLAIN, PlainRenderer),
        (False, Progress.TTY, LiveRenderer),
        (True, Progress.JSON, JsonRenderer),
    ],
)
def test_progress_is_drawn_where_there_is_a_terminal_or_as_told(monkeypatch, terminal, mode, kind):
    shown(monkeypatch, terminal=terminal)
    made = renderer(mode)
    made.close()
    assert isinstance(made, kind)


def test_plain_progress_is_a_line_for_each_tenth(monkeypatch):
    read = shown(monkeypatch)
    plain = PlainRenderer()
    for done in range(101):
        plain.show("step", step(done=done, total=100, unit="steps"))
    plain.show("step", step("done"))
    plain.show("metrics", {"cpu": 1})
    assert read().splitlines()[0] == "Image    ...    a detail (0 of 100)"
    assert len(read().splitlines()) == 12
    assert read().splitlines()[-1] == "Image    ok     a detail"


def test_plain_progress_of_unknown_length_is_a_line_every_ten_seconds(monkeypatch):
    read = shown(monkeypatch)
    plain = PlainRenderer()
    for second in range(31):
        plain.show("step", step(time=float(second)))
    assert len(read().splitlines()) == 4


def test_json_progress_is_one_object_a_line_without_measurements(capsys):
    made = JsonRenderer()
    made.show("step", step())
    made.show("metrics", {"cpu": 1})
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {"type": "step", **step()}


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", "✓✗·"), ("ascii", "+x-")])
def test_live_progress_marks_what_is_done_failed_and_left(monkeypatch, encoding, marks):
    read = shown(monkeypatch, terminal=True, encoding=encoding)
    made = LiveRenderer()
    made.show("step", step("done", step="host"))
    made.show("step", step("failed", step="disk", detail="[no] markup"))
    made.show("step", step("running", step="guest"))
    made.show("message", {"level": "warning", "text": "mind [this]"})
    made.close()
    assert f"{marks[0]} Host" in read()
    assert f"{marks[1]} Disk" in read()
    assert f"{marks[2]} Guest" in read()
    assert "[no] markup" in read()
    assert "mind [this]" in read()


def test_long_details_leave_marks_and_titles_whole(monkeypatch):
    read = shown(monkeypatch, terminal=True, width=60)
    made = LiveRenderer()
    made.show("step", step("done", step="host", detail="a long reason " * 8))
    made.show("step", step("running", detail="a long name of a file " * 8, done=1, total=9))
    made.close()
    lines = read().splitlines()
    assert any("✓ Host     a long reason" in line for line in lines)
    assert any("· Image    a long" in line for line in lines)
    assert "reason a long" in read()
