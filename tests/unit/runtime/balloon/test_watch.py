from types import SimpleNamespace
from typing import Any, cast

import pytest

from quarterdeck.errors import QemuError
from quarterdeck.host.resources import Memory
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import BallooningSpec, MachineSpec
from quarterdeck.runtime.balloon.watch import BalloonWatch, bounds_of
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState
from quarterdeck.runtime.status import Status

GIB = 1 << 30


class Guest:
    """A QEMU whose guest obeys at once, unless it is ``deaf``, and that ends after ``looks`` looks."""

    def __init__(self, looks: int, *, deaf: bool = False, balloon: bool = True) -> None:
        self.actual = 4 * GIB
        self.targets: list[int] = []
        self.qmp = self
        self.process = self
        self._looks, self._deaf, self._balloon = looks, deaf, balloon

    def alive(self) -> bool:
        self._looks -= 1
        return self._looks >= 0

    async def execute(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        match command:
            case "qom-set" if not self._balloon:
                raise QemuError("qmp-refused", "QEMU refused 'qom-set'")
            case "query-memory-size-summary":
                return {"base-memory": 4 * GIB}
            case "query-balloon":
                return {"actual": self.actual}
            case "qom-get":
                return {"stats": {"stat-available-memory": 2**64 - 1}, "last-update": 5}
            case "balloon":
                assert arguments is not None
                self.targets.append(arguments["value"])
                self.actual = self.actual if self._deaf else arguments["value"]
        return {}


class Stage:
    def __init__(self, tmp_path, monkeypatch) -> None:
        self.log = EventLog()
        self.available = 8 * GIB
        layout = MachineLayout(tmp_path)
        self.status = Status(layout, self.log, StoredState(state=State.RUNNING))
        self.spec = MachineSpec(ballooning=BallooningSpec(minimum=GIB))
        self.watch = BalloonWatch(self.status, lambda: self.spec, look=lambda: (Memory(16 * GIB, self.available), 0.0))
        self._monkeypatch = monkeypatch

    async def run(self, guest: Guest, *, then: int | None = None) -> list[str]:
        async def sleep(_seconds: float) -> None:
            self.available = self.available if then is None else then

        self._monkeypatch.setattr("quarterdeck.runtime.balloon.watch.asyncio.sleep", sleep)
        await self.watch.run(cast(Any, guest))
        return [record.data["text"] for record in self.log._records if record.type == "message"]


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


async def test_memory_goes_to_a_host_in_need_and_comes_back(stage):
    guest = Guest(40)
    stage.available = GIB
    said = await stage.run(guest, then=8 * GIB)
    assert guest.targets[0] < 3 * GIB
    assert guest.actual == 4 * GIB
    assert [line.partition(":")[0] for line in said] == ["the host is in need of memory", "the host has memory to spare"]


async def test_the_minimum_is_kept(stage):
    guest = Guest(40)
    stage.available = 0
    await stage.run(guest)
    assert guest.actual == GIB


async def test_a_guest_that_gives_nothing_back_is_reported_once(stage):
    stage.available = 0
    said = await stage.run(Guest(10, deaf=True))
    assert sum("balloon driver" in line for line in said) == 1


async def test_a_machine_without_balloon_is_reported(stage):
    assert await stage.run(Guest(3, balloon=False)) == ["ballooning does nothing: this machine has no balloon"]


async def test_nothing_is_done_unless_it_is_asked_for(stage):
    stage.spec = MachineSpec()
    guest = Guest(1)
    assert await stage.run(guest) == []
    assert guest.targets == []


async def test_a_paused_guest_is_left_alone(stage):
    stage.status.enter(State.PAUSED)
    stage.available = 0
    guest = Guest(3)
    await stage.run(guest)
    assert guest.targets == []


async def test_a_connection_that_is_lost_for_a_moment_ends_nothing(stage):
    guest = Guest(4)
    answers = iter([QemuError("qmp-lost", "gone")])
    real = guest.execute

    async def execute(command: str, arguments: dict[str, Any] | None = None) -> Any:
        for error in answers:
            raise error
        return await real(command, arguments)

    stage.available = 0
    await stage.run(cast(Guest, SimpleNamespace(process=guest, qmp=SimpleNamespace(execute=execute))))
    assert guest.actual < 4 * GIB


def test_a_minimum_is_a_size_or_a_share():
    assert bounds_of(BallooningSpec(), 3 * GIB).minimum == 3 * GIB * 33 // 100
    assert bounds_of(BallooningSpec(minimum=8 * GIB), 3 * GIB).minimum == 3 * GIB
