from tests.unit.cli.build.progress_scenes import AMD, ARM, STEP, Clock, Terminal, begun, ended, failed, recorded, said

from quarterdeck.build.engines.events import StepState
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.run.events import Progressed, Started, Waiting
from quarterdeck.cli.build.progress import open_view
from quarterdeck.cli.output import Progress
from quarterdeck.core.report import Level, Message, Step, StepStatus


def lines_of(monkeypatch, events, platforms=(AMD, ARM), *, clock=None, quiet=False):
    terminal = Terminal(monkeypatch, terminal=False)
    with open_view(Progress.PLAIN, platforms, clock=clock or Clock(), quiet=quiet) as report:
        for event in events:
            report(event)
    return terminal.written().splitlines()


def test_a_recorded_build_is_lines_with_their_platform(monkeypatch):
    clock = Clock()
    assert lines_of(monkeypatch, recorded(clock), clock=clock) == [
        "linux/amd64 builds on local with buildx 0.13 (native)",
        "linux/arm64 builds on box with buildah 1.39 (emulated)",
        "linux/amd64 load build definition",
        "linux/amd64 load build definition: DONE 0.1s",
        "linux/amd64 [1/2] FROM debian",
        "linux/amd64 [1/2] sha256:abc 20 MiB",
        "linux/amd64 [1/2] CACHED",
        "linux/arm64 [build 2/3] RUN make",
        "linux/arm64 [build 2/3] 2.00 cc -c main.c",
        "linux/arm64 [build 2/3] 62.00 cc -c other.c",
        "linux/arm64 [build 2/3] DONE 1m05s (emulated)",
        "linux/amd64 DONE 2.0s",
        "linux/arm64 DONE 1m07s (1m05s emulated)",
    ]


def test_names_of_platforms_line_up(monkeypatch):
    from quarterdeck.build.platform import Platform

    short = Platform("linux", "386")
    assert lines_of(monkeypatch, [Waiting(short, "box")], [short, ARM]) == ["linux/386   waits for a slot of box"]


def test_the_last_lines_of_a_failure_come_once_more_where_others_talk_between(monkeypatch):
    name = "[build 2/3] RUN make"
    events = [begun(ARM, name), *(said(ARM, name, f"line {number}") for number in range(30))]
    events += [ended(ARM, name, StepState.FAILED, 3.0, "exit code: 2"), failed(ARM, lines=["line 29"], step=STEP)]
    lines = lines_of(monkeypatch, events)
    assert lines[31] == "linux/arm64 [build 2/3] FAILED 3.0s: exit code: 2"
    assert lines[32] == "linux/arm64 [build 2/3] RUN make failed: exit code: 2; its last lines:"
    assert lines[33:53] == [f"linux/arm64 | line {number}" for number in range(10, 30)]
    assert lines[53:] == ["linux/arm64 FAILED after 12.0s on box"]
    assert "| line" not in "\n".join(lines_of(monkeypatch, events, [ARM]))


def test_lines_that_only_the_error_knows_are_shown(monkeypatch):
    lines = lines_of(monkeypatch, [failed(ARM, lines=["a\x1b[2J", "b"])], [ARM])
    assert lines == [
        "linux/arm64 FAILED after 12.0s on box",
        "linux/arm64 the build failed: exit code: 2; its last lines:",
        "linux/arm64 | a",
        "linux/arm64 | b",
    ]


def test_messages_have_their_platform_and_level(monkeypatch):
    events = [
        Progressed(ARM, Message(Level.WARNING, "mind this")),
        Progressed(ARM, Message(Level.INFO, "one\ntwo")),
        Message(Level.INFO, "all"),
    ]
    assert lines_of(monkeypatch, events) == ["linux/arm64 WARNING: mind this", "linux/arm64 one", "linux/arm64 two", "all"]


def test_steps_about_all_platforms_are_those_of_other_commands(monkeypatch):
    events = [Step("merge", StepStatus.RUNNING, "2 images"), Step("merge", StepStatus.DONE, "one index")]
    assert lines_of(monkeypatch, events) == ["Merge    ...    2 images", "Merge    ok     one index"]


def test_a_stage_of_another_platform_is_not_emulated(monkeypatch):
    cross = "[linux/amd64->arm64 build 2/3] RUN make"
    events = [Started(ARM, "box", "buildx", Runs.EMULATED), begun(ARM, cross), ended(ARM, cross)]
    assert lines_of(monkeypatch, events)[1:] == [
        "linux/arm64 [linux/amd64->arm64 build 2/3] RUN make",
        "linux/arm64 [linux/amd64->arm64 build 2/3] DONE 1.0s",
    ]


def test_quiet_shows_errors_and_the_last_lines_of_what_failed_only(monkeypatch):
    name = "[build 2/3] RUN make"
    events = [begun(ARM, name), said(ARM, name, "no such file"), Message(Level.INFO, "hello"), Message(Level.ERROR, "oh")]
    events += [Progressed(ARM, Message(Level.ERROR, "no")), ended(ARM, name, StepState.FAILED, 3.0, "exit code: 2")]
    assert lines_of(monkeypatch, events, quiet=True) == [
        "oh",
        "linux/arm64 error: no",
        "linux/arm64 [build 2/3] RUN make failed: exit code: 2; its last lines:",
        "linux/arm64 | no such file",
    ]
