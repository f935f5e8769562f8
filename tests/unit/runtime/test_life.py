"""QEMU's events become states, and its end becomes a verdict."""

import asyncio
from typing import Any, cast

import pytest

from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import life
from quarterdeck.runtime.balloon.watch import BalloonWatch
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.guestwatch import GuestWatch
from quarterdeck.runtime.hotplug.watch import UsbWatch
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.life import Ended, Life, Watchers
from quarterdeck.runtime.metrics import Metrics
from quarterdeck.runtime.qmp import QmpEvent
from quarterdeck.runtime.qmp import Status as QmpStatus
from quarterdeck.runtime.serial_hub import SerialHub
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState
from quarterdeck.runtime.status import Status


class Qemu:
    """A process and its QMP connection that play a script of events, then end with ``code``."""

    pid, started = 2**22 - 1, 1

    def __init__(self, code: int, script: list[tuple[str, dict[str, Any]]], run_states: list[str]) -> None:
        self.returncode: int | None = None
        self._code, self._script, self._run_states = code, script, run_states
        self._over = asyncio.Event()

    def alive(self) -> bool:
        return not self._over.is_set()

    async def wait(self) -> int:
        await self._over.wait()
        return self._code

    async def events(self):
        for name, data in self._script:
            yield QmpEvent(name, data)
        self.returncode = self._code
        self._over.set()

    async def execute(self, _command: str, _arguments: dict[str, Any]) -> list[Any]:
        return []

    async def status(self) -> QmpStatus:
        name = self._run_states.pop(0)
        return QmpStatus(name == "running", name)


class Stage:
    def __init__(self, tmp_path) -> None:
        self.layout = MachineLayout(tmp_path)
        self.layout.vm.mkdir()
        self.log = EventLog()
        self.status = Status(self.layout, self.log, StoredState(state=State.STARTING))
        guest = GuestWatch(self.status, self.log)
        usb = UsbWatch(self.status, MachineSpec, root=tmp_path)
        self.watchers = Watchers(
            self.log, self.status, SerialHub(), guest, Metrics(self.log, guest.traffic), BalloonWatch(self.status, MachineSpec), usb
        )

    async def play(self, *script, code: int = 0, run_states: list[str] | None = None, asked: bool = False) -> Ended:
        qemu = cast(Any, Qemu(code, list(script), run_states or []))
        lived = Life(Instance(self.layout, qemu, qemu), self.watchers)
        lived.asked = asked
        return await lived.follow()

    def states(self) -> list[str]:
        return [record.data["state"] for record in self.log._records if record.type == "state"]


@pytest.fixture
def stage(tmp_path) -> Stage:
    return Stage(tmp_path)


GUEST_OFF = ("SHUTDOWN", {"guest": True, "reason": "guest-shutdown"})
RESUME: tuple[str, dict] = ("RESUME", {})
STOP: tuple[str, dict] = ("STOP", {})


async def test_guest_that_powers_off_ends_in_order(stage):
    ended = await stage.play(RESUME, GUEST_OFF)
    assert ended == Ended("the guest powered itself off")
    assert stage.states() == ["running", "stopping"]


async def test_end_that_was_asked_for_is_orderly_whatever_happened(stage):
    assert (await stage.play(RESUME, code=-9, asked=True)).error is None


async def test_killed_qemu_is_an_error_that_names_the_signal(stage):
    ended = await stage.play(RESUME, code=-9)
    assert ended.error is not None
    assert (ended.reason, ended.error.exit_code) == ("QEMU was killed by SIGKILL", 5)


async def test_qemu_that_the_kernel_killed_for_want_of_memory_is_told_apart(stage, monkeypatch):
    counts = [0, 1]
    monkeypatch.setattr(life, "oom_kills", lambda: counts.pop(0))
    ended = await stage.play(RESUME, code=-9)
    assert ended.error is not None
    assert (ended.error.key, "--memory" in ended.error.hint) == ("out-of-memory", True)


async def test_an_older_want_of_memory_explains_nothing(stage, monkeypatch):
    monkeypatch.setattr(life, "oom_kills", lambda: 3)
    assert "SIGKILL" in (await stage.play(RESUME, code=-9)).reason


async def test_signal_from_outside_is_an_error(stage):
    ended = await stage.play(RESUME, ("SHUTDOWN", {"guest": False, "reason": "host-signal"}))
    assert ended.error is not None
    assert ended.reason == "QEMU got a signal to end"


async def test_shutdown_with_a_failure_is_a_crash(stage):
    assert (await stage.play(RESUME, GUEST_OFF, code=1)).error is not None


async def test_pause_and_resume(stage):
    await stage.play(RESUME, STOP, RESUME, GUEST_OFF, run_states=["paused"])
    assert stage.states() == ["running", "paused", "running", "stopping"]


async def test_sleep_is_a_pause_with_its_reason(stage):
    await stage.play(RESUME, ("SUSPEND", {}), run_states=["suspended"])
    assert stage.status.stored.reason == "the guest sleeps; resume wakes it"


async def test_full_disk_is_told_with_what_to_do(stage):
    failed = {
        "device": "",
        "node-name": "disk0",
        "operation": "write",
        "action": "stop",
        "nospace": True,
        "reason": "No space left on device",
    }
    await stage.play(RESUME, ("BLOCK_IO_ERROR", failed), STOP, run_states=["io-error"])
    assert stage.status.state is State.IO_ERROR
    assert stage.status.stored.reason == "disk disk0: write failed: the host's disk is full; free some space, then resume"


async def test_disk_error_that_the_guest_sees_itself_does_not_halt_it(stage):
    await stage.play(RESUME, ("BLOCK_IO_ERROR", {"node-name": "disk0", "action": "report"}))
    assert stage.status.state is State.RUNNING


async def test_panic_is_kept_and_marked(stage):
    await stage.play(RESUME, ("GUEST_PANICKED", {"action": "pause"}), STOP, run_states=["guest-panicked"])
    assert stage.status.state is State.PANICKED
    assert stage.status.steps[-1]["status"] == "failed"


async def test_panic_that_goes_on_to_dump_memory_is_not_the_end(stage):
    await stage.play(RESUME, ("GUEST_PANICKED", {"action": "run"}))
    assert stage.status.state is State.RUNNING


@pytest.mark.parametrize("name", ["BLOCK_IO_ERROR", "GUEST_PANICKED", "SHUTDOWN", "VSERPORT_CHANGE", "RESET", "SOMETHING_NEW", ""])
async def test_events_without_the_fields_they_should_have_do_no_harm(stage, name):
    await stage.play((name, {}), (name, {"action": 3, "reason": [], "guest": "x"}))


async def test_adoption_takes_the_state_that_qemu_is_in(stage):
    for run_state, expected in [("running", State.RUNNING), ("guest-panicked", State.PANICKED), ("prelaunch", State.STARTING)]:
        qemu = cast(Any, Qemu(0, [], [run_state]))
        await Life(Instance(stage.layout, qemu, qemu), stage.watchers).adopt()
        assert stage.status.state is expected
