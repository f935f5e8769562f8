import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.cli.build.progress_scenes import AMD, ARM, Terminal, failed

from quarterdeck.build.engines.events import BuildStep, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import Ended, Progressed, Started, Waiting
from quarterdeck.cli.build.progress import open_view
from quarterdeck.cli.output import Progress
from quarterdeck.core.report import Level, Message, Step, StepStatus
from quarterdeck.errors import HostError

_texts = st.text(max_size=12) | st.sampled_from(["RUN make", "FROM x", "\x1b[2J", "\x1b]0;x\x07", "\x9b1A", "漢字\t", "\ud800", "a\nb"])
_keys = st.sampled_from(["", "1", "2", "3"])
_platforms = st.sampled_from([AMD, ARM, Platform("linux", "riscv64"), Platform("linux", "arm", "v7")])
_amounts = st.none() | st.integers(-5, 2**70) | st.just(10**400)
_seconds = st.floats(allow_nan=True, allow_infinity=True)
_steps = st.builds(
    BuildStep,
    _keys,
    _texts,
    _texts,
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(["", "linux/arm64", "linux/amd64->arm64"]),
)
_messages = st.builds(Message, st.sampled_from(Level), _texts)
_build_events = (
    st.builds(StepEvent, _steps, st.sampled_from(StepState), st.none() | _seconds, _texts)
    | st.builds(LogLine, _keys, _texts)
    | st.builds(Transfer, _keys, _texts, st.integers(-5, 2**70), _amounts)
    | _messages
)
_errors = st.none() | st.builds(HostError, st.just("key"), _texts)
_events = (
    st.builds(Waiting, _platforms, _texts)
    | st.builds(Started, _platforms, _texts, _texts, st.none() | st.sampled_from(Runs))
    | st.builds(Progressed, _platforms, _build_events)
    | st.builds(Ended, _platforms, _texts, _seconds, _errors)
    | st.builds(lambda platform, step, text: failed(platform, lines=[text], step=step, error=text), _platforms, _steps, _texts)
    | st.builds(Step, _texts, st.sampled_from(StepStatus), _texts, _amounts, _amounts, st.sampled_from(["bytes", "steps"]))
    | _messages
)


@pytest.mark.parametrize("mode", [Progress.TTY, Progress.PLAIN, Progress.JSON])
@given(
    events=st.lists(_events, max_size=25),
    width=st.integers(1, 120),
    height=st.integers(1, 12),
    quiet=st.booleans(),
    ticks=st.lists(st.floats(-5, 5000), min_size=1, max_size=4),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_order_of_events_raises_or_lets_controls_through(mode, events, width, height, quiet, ticks):
    now = 0.0

    def clock():
        return now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rich.live._RefreshThread.start", lambda self: None)
        patch.setattr("rich.live._RefreshThread.join", lambda self: None)
        terminal = Terminal(patch, width=width, height=height)
        patch.setattr("sys.stderr", terminal.file)
        with open_view(mode, [AMD, ARM], quiet=quiet, clock=clock) as report:
            for number, event in enumerate(events):
                now += ticks[number % len(ticks)]
                report(event)
                if terminal.console._live_stack:
                    terminal.console._live_stack[-1].refresh()
        report(Message(Level.INFO, "late"))
        for event in events:
            report(event)
        _check(terminal)


def _check(terminal):
    terminal.look()  # the screen refuses what it does not know
    assert terminal.screen.cursor
    assert set(terminal.written()) & set(map(chr, range(32))) <= {"\n", "\r", "\t", "\x1b"}
    assert not set(terminal.written()) & {*map(chr, range(0x7F, 0xA0)), "\u202e"}
    assert "\x1b]" not in terminal.written()
