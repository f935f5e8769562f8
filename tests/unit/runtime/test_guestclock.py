from typing import Any, cast

import pytest

from quarterdeck.errors import QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import guestclock
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.guestclock import ClockWatch
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState
from quarterdeck.runtime.status import Status


class Agent:
    def __init__(self, *, obeys: bool = True) -> None:
        self.times: list[int] = []
        self._obeys = obeys

    async def execute(self, command: str, arguments: dict[str, int], *, timeout: float) -> None:
        assert command == "guest-set-time"
        if not self._obeys:
            raise QemuError("agent-refused", "the agent refused", reason="the command is disabled")
        self.times.append(arguments["time"])


@pytest.fixture
def log() -> EventLog:
    return EventLog()


@pytest.fixture
def watch(tmp_path, log) -> ClockWatch:
    return ClockWatch(Status(MachineLayout(tmp_path), log, StoredState(state=State.READY)))


def said(log: EventLog) -> list[str]:
    return [record.data["text"] for record in log._records if record.type == "message"]


async def correct(watch: ClockWatch, offset: float | None, *, obeys: bool = True) -> list[int]:
    agent = Agent(obeys=obeys)
    await watch.correct(cast(Any, agent), offset)
    return agent.times


async def test_a_clock_that_stood_still_is_set_once(watch, log, monkeypatch):
    monkeypatch.setattr("quarterdeck.core.clock.now", lambda: 1000.5)
    watch.stood_still()
    assert await correct(watch, -90.2) == [1_000_500_000_000]
    assert await correct(watch, -90.2) == []
    assert said(log) == ["the guest's clock was 90 s behind after it stood still, and was set"]


async def test_a_clock_that_nothing_stopped_is_the_guests_own(watch, log):
    assert await correct(watch, 3600.0) == []
    assert said(log) == []


async def test_a_host_that_slept_lets_clocks_be_set(watch, monkeypatch):
    monkeypatch.setattr(guestclock, "slept", lambda: 1e6)
    assert len(await correct(watch, -30.0)) == 1
    assert await correct(watch, -30.0) == []


@pytest.mark.parametrize("offset", [None, 0.4, -0.9])
async def test_a_clock_that_is_right_or_unknown_is_left_alone(watch, offset):
    watch.stood_still()
    assert await correct(watch, offset) == []


async def test_an_agent_that_may_not_set_the_clock_is_told_of(watch, log):
    watch.stood_still()
    await correct(watch, -5.0, obeys=False)
    assert said(log) == ["the guest's clock is 5 s behind, and its agent does not set it: the command is disabled"]
