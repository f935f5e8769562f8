import json

from tests.unit.cli.build.progress_scenes import AMD, ARM, STEP, Clock, begun, ended, failed, recorded, said

from quarterdeck.build.engines.events import StepState
from quarterdeck.build.run.events import Progressed, Waiting
from quarterdeck.cli.build.progress import open_view
from quarterdeck.cli.output import Progress
from quarterdeck.core.report import Level, Message, Step, StepStatus


def objects_of(capsys, events, *, clock=None, quiet=False):
    with open_view(Progress.JSON, [AMD, ARM], clock=clock or Clock(), quiet=quiet) as report:
        for event in events:
            report(event)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_recorded_build_is_one_object_for_each_event(capsys):
    clock = Clock()
    found = objects_of(capsys, recorded(clock), clock=clock)
    assert len(found) == len(list(recorded(Clock())))
    times = [one.pop("time") for one in found]
    assert times == sorted(times)
    assert found[1] == {
        "type": "platform",
        "platform": "linux/arm64",
        "state": "started",
        "node": "box",
        "engine": "buildah 1.39",
        "runs": "emulated",
    }
    assert found[8] == {
        "type": "build-step",
        "platform": "linux/arm64",
        "id": "[build 2/3] RUN make",
        "text": "RUN make",
        "stage": "build",
        "number": 2,
        "total": 3,
        "step_platform": "",
        "emulated": True,
        "state": "started",
        "seconds": None,
        "detail": "",
    }
    assert found[10] == {"type": "log", "platform": "linux/arm64", "id": "[build 2/3] RUN make", "text": "cc -c other.c"}
    assert found[5] == {
        "type": "transfer",
        "platform": "linux/amd64",
        "id": "[1/2] FROM debian",
        "what": "sha256:abc",
        "done": 5 << 20,
        "total": 20 << 20,
    }
    assert found[-1] == {
        "type": "platform",
        "platform": "linux/arm64",
        "state": "done",
        "node": "box",
        "seconds": 67.0,
        "emulated": 65.0,
        "cached": 0,
        "error": None,
    }


def test_what_is_about_all_platforms_has_no_platform(capsys):
    events = [Step("merge", StepStatus.RUNNING, "2 images", 1, 2), Message(Level.WARNING, "mind"), Waiting(ARM, "box")]
    found = [{key: value for key, value in one.items() if key != "time"} for one in objects_of(capsys, events)]
    assert found == [
        {"type": "step", "step": "merge", "status": "running", "detail": "2 images", "done": 1, "total": 2, "unit": "steps"},
        {"type": "message", "platform": None, "level": "warning", "text": "mind"},
        {"type": "platform", "platform": "linux/arm64", "state": "waiting", "node": "box"},
    ]


def test_a_failure_has_its_last_lines_and_the_error(capsys):
    name = "[build 2/3] RUN make"
    events = [
        begun(ARM, name),
        said(ARM, name, "no such file"),
        ended(ARM, name, StepState.FAILED, 3.0, "exit code: 2"),
        failed(ARM, step=STEP),
    ]
    *_, failure, end = objects_of(capsys, events)
    assert {key: failure[key] for key in ("type", "platform", "step", "error", "lines")} == {
        "type": "failure",
        "platform": "linux/arm64",
        "step": "[build 2/3] RUN make",
        "error": "exit code: 2",
        "lines": ["no such file"],
    }
    assert (end["state"], end["error"]["key"]) == ("failed", "build-failed")


def test_lines_are_ascii_whatever_an_error_says(capsys):
    with open_view(Progress.JSON, [ARM], clock=Clock()) as report:
        report(failed(ARM, lines=["\x9b2J \u202e \x7f"], error="\x9b2J \x7f é"))
    written = capsys.readouterr().err
    assert written.isascii()
    assert all(character.isprintable() or character == "\n" for character in written)
    assert json.loads(written.splitlines()[0])["error"]["error"] == "\x9b2J \x7f é"


def test_quiet_reports_errors_only(capsys):
    name = "[build 2/3] RUN make"
    events = [begun(ARM, name), said(ARM, name, "x"), Progressed(ARM, Message(Level.ERROR, "no")), Message(Level.INFO, "hello")]
    events += [ended(ARM, name, StepState.FAILED, 3.0, "exit code: 2"), failed(ARM, step=STEP)]
    assert [one["type"] for one in objects_of(capsys, events, quiet=True)] == ["message", "failure", "platform"]
