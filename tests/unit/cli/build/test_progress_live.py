import re
import time
from contextlib import ExitStack

import pytest
from tests.unit.cli.build.progress_scenes import AMD, ARM, RISCV, Clock, Terminal, begun, ended, failed, moved, recorded, said

from quarterdeck.build.engines.events import StepState
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import Ended, Progressed, Started, Waiting
from quarterdeck.cli.build.progress import open_view
from quarterdeck.cli.output import Progress
from quarterdeck.core.report import Level, Message, Step, StepStatus
from quarterdeck.errors import HostError

MAKE = "[build 2/3] RUN make"


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """Frames are drawn when a test looks, not by time."""
    monkeypatch.setattr("rich.live._RefreshThread.start", lambda self: None)
    monkeypatch.setattr("rich.live._RefreshThread.join", lambda self: None)


class Watched:
    """A live view and the screen that it draws on."""

    def __init__(self, terminal, views, platforms):
        self.terminal = terminal
        self.clock = Clock()
        self._views = views
        self.report = views.enter_context(open_view(Progress.TTY, platforms, clock=self.clock))

    def look(self, *events):
        for event in events:
            self.report(event)
        self.terminal.console._live_stack[-1].refresh()
        return self.terminal.look()

    def end(self):
        self._views.close()
        return self.terminal.look()


@pytest.fixture
def watch(monkeypatch):
    with ExitStack() as views:
        yield lambda platforms, **options: Watched(Terminal(monkeypatch, **options), views, platforms)


def building(platform, runs=Runs.EMULATED):
    return Started(platform, "box", "buildah 1.39", runs)


def test_each_platform_has_a_bar_and_the_step_that_runs(watch):
    watched = watch([AMD, ARM])
    watched.look(building(AMD, Runs.NATIVE), building(ARM), begun(AMD, "[1/4] FROM debian"), begun(ARM, MAKE))
    watched.look(moved(AMD, "[1/4] FROM debian", 5 << 20, 20 << 20), said(ARM, MAKE, "cc -c main.c"), ended(ARM, "[build 1/3] FROM x"))
    watched.clock.now += 63
    assert watched.look().splitlines() == [
        "⠋  linux/amd64  ────────────────────  0/4  1:03  box, buildah 1.39",
        "   1:03  [1/4] FROM debian  5 MiB of 20 MiB",
        "⠋  linux/arm64  ━━━━━━──────────────  1/3  1:03  1:03 emulated  box, buildah 1.39",
        "   1:03  [build 2/3] RUN make  cc -c main.c",
    ]


def test_a_finished_platform_says_its_seconds_and_how_many_were_emulated(watch):
    watched = watch([AMD, ARM, RISCV])
    for event in recorded(watched.clock):
        watched.report(event)
    watched.report(Waiting(RISCV, "box"))
    assert watched.look().splitlines() == [
        "✓  linux/amd64    2.0s, 1 of 2 steps cached  local, buildx 0.13",
        "✓  linux/arm64    1m07s, 1m05s emulated  box, buildah 1.39",
        "·  linux/riscv64  waits for a slot of box",
    ]


def test_the_tail_of_a_failing_step_stays_above(watch):
    watched = watch([AMD, ARM])
    watched.look(building(ARM), begun(ARM, MAKE), *(said(ARM, MAKE, f"line {number}") for number in range(30)))
    shown = watched.look(ended(ARM, MAKE, StepState.FAILED, 3.0, "exit code: 2"), failed(ARM, lines=["line 29"])).splitlines()
    assert shown[0] == "linux/arm64 [build 2/3] RUN make failed: exit code: 2; its last lines:"
    assert shown[1:21] == [f"linux/arm64 | line {number}" for number in range(10, 30)]
    assert shown[21:] == ["·  linux/amd64", "✗  linux/arm64  failed after 12.0s in [build 2/3] RUN make  box, buildah 1.39"]


def test_a_failure_outside_of_steps_says_its_error(watch):
    watched = watch([ARM])
    shown = watched.look(building(ARM), Ended(ARM, "box", 4.0, HostError("no-space", "the disk is\x1b[2J full")))
    assert shown == "✗  linux/arm64  failed after 4.0s: the disk is full  box, buildah 1.39"


def test_messages_stay_above_and_steps_about_all_below(watch):
    watched = watch([ARM], width=60)
    events = [
        Message(Level.INFO, "first [b]"),
        Progressed(ARM, Message(Level.WARNING, "mind this")),
        Progressed(ARM, Message(Level.INFO, "of no interest")),
    ]
    shown = watched.look(
        *events, Step("merge", StepStatus.DONE, "one index"), Step("push", StepStatus.RUNNING, "x", 1 << 20, 4 << 20, "bytes")
    )
    assert shown.splitlines() == [
        "first [b]",
        "linux/arm64 warning: mind this",
        "·  linux/arm64",
        "✓  Merge        one index",
        "⠋  Push         ━━━━━───────────────  1 MiB of 4 MiB  x",
    ]


def test_a_platform_that_starts_again_elsewhere_starts_at_nothing(watch):
    watched = watch([ARM])
    lost = Ended(ARM, "box", 9.0, HostError("node-lost", "box is gone"))
    watched.look(building(ARM), ended(ARM, "[1/3] FROM x"), begun(ARM, "[2/3] RUN make"), lost)
    watched.clock.now += 5
    shown = watched.look(Started(ARM, "local", "buildx 0.13", Runs.NATIVE), begun(ARM, "[1/3] FROM x"))
    assert shown.splitlines() == ["⠋  linux/arm64  ────────────────────  0/3  0:00  local, buildx 0.13", "   0:00  [1/3] FROM x"]


def test_an_engine_that_starts_over_counts_from_nothing(watch):
    watched = watch([ARM])
    steps = ["[1/3] FROM x", "[2/3] RUN a", "[3/3] RUN b"]
    watched.look(building(ARM, Runs.NATIVE), *(event for name in steps for event in (begun(ARM, name), ended(ARM, name))))
    assert "3/3" in watched.look()
    assert "0/3" in watched.look(begun(ARM, steps[0]))
    assert "1/3" in watched.look(ended(ARM, steps[0]), begun(ARM, steps[1]))


def test_a_step_and_its_last_line_share_the_room(watch):
    watched = watch([ARM], width=80)
    name = f"[build 2/3] RUN {'x' * 99}"
    shown = watched.look(building(ARM), begun(ARM, name), said(ARM, name, "y" * 99)).splitlines()[1]
    assert shown.count("x") > 20
    assert shown.count("y") > 25


def test_time_of_emulated_steps_side_by_side_counts_once(watch):
    watched = watch([ARM])
    watched.look(building(ARM), begun(ARM, "[a 1/2] RUN a"), begun(ARM, "[b 1/2] RUN b"))
    watched.clock.now += 10
    assert "0:10 emulated" in watched.look()
    assert "[b 1/2] RUN b  +1" in watched.look()


@pytest.mark.parametrize("width", [1, 5, 20, 33, 45, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(watch, width):
    watched = watch([AMD, ARM, RISCV], width=width)
    watched.look(
        building(ARM), begun(ARM, MAKE + " 漢字" * 30), said(ARM, MAKE + " 漢字" * 30, "x\ty" * 50), building(AMD), begun(AMD, "export")
    )
    shown = watched.look(Step("merge", StepStatus.RUNNING, "long " * 40), Waiting(RISCV, "a-long-name" * 9)).splitlines()
    assert len(shown) == 6
    assert all(len(line) < max(2, width) for line in shown)


def test_what_matters_least_is_left_out_first(watch):
    watched = watch([ARM], width=44)
    watched.look(building(ARM), begun(ARM, MAKE))
    watched.clock.now += 5
    assert watched.look().splitlines() == ["⠋  linux/arm64  0/3  0:05  0:05 emulated", "   0:05  [build 2/3] RUN make"]


def test_many_platforms_are_a_line_each_and_then_the_interesting_ones(watch):
    platforms = [Platform("linux", f"p{number}") for number in range(12)]
    watched = watch(platforms, height=14)
    assert len(watched.look(*(building(platform) for platform in platforms[6:])).splitlines()) == 12
    watched = watch(platforms, height=7)
    shown = watched.look(*(building(platform) for platform in platforms[9:]), Ended(platforms[0], "box", 1.0)).splitlines()
    assert len(shown) == 6
    assert all(str(platform) in "\n".join(shown) for platform in platforms[9:])
    assert shown[-1] == "  and 7 more: 1 done, 6 pending"
    assert len(watched.end().splitlines()) == 12


def test_a_terminal_that_becomes_narrower_keeps_one_picture(watch, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("XTERM_VERSION", "STY"):
        monkeypatch.delenv(name, raising=False)
    watched = watch([AMD, ARM], width=90)
    watched.look(Message(Level.INFO, "above"), building(AMD), building(ARM), begun(AMD, MAKE), begun(ARM, MAKE + " -j4" * 20))
    for width in (50, 30, 90, 41):
        watched.terminal.screen.resize(width)
        watched.terminal.console.width = width
        shown = watched.look().splitlines()
        assert shown[0] == "above"
        assert len(shown) == 5
        assert [line for line in shown if "linux/a" in line] == [shown[1], shown[3]]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, None])
def test_the_cursor_comes_back_and_what_ran_is_stopped(monkeypatch, error):
    terminal = Terminal(monkeypatch)

    def build():
        with open_view(Progress.TTY, [AMD, ARM, RISCV], clock=Clock()) as report:
            for event in (building(ARM), begun(ARM, MAKE), Ended(AMD, "box", 3.0)):
                report(event)
            terminal.look()
            assert not terminal.screen.cursor
            if error is not None:
                raise error

    if error is not None:
        with pytest.raises(error):
            build()
    else:
        build()
    lines = terminal.look().splitlines()
    assert terminal.screen.cursor
    assert terminal.written().endswith("\n\x1b[?25h")
    assert [line.split("  ")[0] for line in lines] == ["✓", "·", "·"]
    assert lines[2].endswith("not built")


def test_a_terminal_without_unicode_gets_ascii(watch):
    watched = watch([ARM], encoding="ascii", width=60)
    watched.look(building(ARM), begun(ARM, MAKE + " x" * 40), ended(ARM, "[build 1/3] FROM x"))
    watched.end()
    assert "\\u" not in watched.terminal.written()
    assert "######" in watched.terminal.written()


def test_no_control_character_reaches_the_terminal(watch):
    watched = watch([ARM])
    evil = "\x1b]0;title\x07\x1b[2J\x9b1m\u202ex\r\ud800"
    name = f"[build 2/3] RUN {evil}"
    watched.look(Started(ARM, f"box{evil}", evil, Runs.EMULATED), begun(ARM, name, "k"), said(ARM, "k", evil), Message(Level.INFO, evil))
    watched.look(Step(evil, StepStatus.RUNNING, evil), Progressed(ARM, Message(Level.ERROR, evil)))
    watched.look(ended(ARM, name, StepState.FAILED, 1.0, evil, key="k"), failed(ARM, error=evil, lines=[evil]))
    watched.end()  # the screen refuses what it does not know
    left = re.sub(r"\x1b\[(\d*[AK]|\?25[hl])|\r", "", watched.terminal.written())
    assert all(character.isprintable() or character == "\n" for character in left)


@pytest.mark.parametrize(("options", "draws"), [({}, True), ({"terminal": False}, False), ({"_environ": {"TERM": "dumb"}}, False)])
def test_auto_is_live_only_where_a_terminal_can(monkeypatch, options, draws):
    terminal = Terminal(monkeypatch, **options)
    with open_view(Progress.AUTO, [ARM], clock=Clock()) as report:
        report(Waiting(ARM, "box"))
    assert ("\x1b[?25l" in terminal.written()) == draws


def test_times_go_on_while_nothing_happens(monkeypatch):
    monkeypatch.undo()
    terminal = Terminal(monkeypatch)
    with open_view(Progress.TTY, [ARM]) as report:
        report(building(ARM))
        since = len(terminal.written())
        for _ in range(200):
            if len(terminal.written()) > since:
                break
            time.sleep(0.05)
        assert len(terminal.written()) > since
