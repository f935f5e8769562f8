import shutil

import pytest

from quarterdeck.core.report import Level, Message, Step, StepStatus
from quarterdeck.errors import MediaError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.state import State, Trigger
from quarterdeck.runtime.statefile import ProcessId, StoredState
from quarterdeck.runtime.status import Status


@pytest.fixture
def layout(tmp_path) -> MachineLayout:
    (tmp_path / "m").mkdir()
    return MachineLayout(tmp_path / "m")


async def _events(log: EventLog) -> list[tuple[str, dict]]:
    log.close()
    return [(record.type, record.data) async for record in log.follow()]


async def test_transitions_are_written_and_published(layout):
    log = EventLog()
    status = Status(layout, log, StoredState())
    assert status.apply(Trigger.PREPARE)
    assert not status.apply(Trigger.AGENT_UP)
    assert statefile.read(layout.state).state is State.PREPARING
    assert [(kind, data["state"]) for kind, data in await _events(log)] == [("state", "preparing")]


async def test_error_marks_the_step_that_it_ended(layout):
    log = EventLog()
    status = Status(layout, log, StoredState())
    status.report(Step("host", StepStatus.DONE))
    status.report(Step("image", StepStatus.RUNNING, "looking"))
    status.fail(MediaError("bad", "the image is damaged"))
    assert [(step["step"], step["status"]) for step in status.steps] == [("host", "done"), ("image", "failed")]
    assert statefile.read(layout.state).error == MediaError("bad", "the image is damaged").to_json()
    status.begin()
    assert status.steps == []
    assert statefile.read(layout.state).error is None


async def test_full_disk_is_told_once_and_survived(layout):
    log = EventLog()
    status = Status(layout, log, StoredState())
    shutil.rmtree(layout.root)
    status.apply(Trigger.PREPARE)
    status.apply(Trigger.LAUNCHED)
    with pytest.raises(OSError):
        status.record(cpus=3)
    layout.root.mkdir()
    status.report(Message(Level.INFO, "mended"))
    status.apply(Trigger.RESUMED)
    texts = [data["text"] for kind, data in await _events(log) if kind == "message"]
    assert len(texts) == 2
    assert "cannot be written" in texts[0]
    assert statefile.read(layout.state).state is State.RUNNING


def test_processes_of_another_boot_of_the_host_are_forgotten(layout):
    old = StoredState(state=State.RUNNING, boot_id="another", qemu=ProcessId(1, 1), helpers=(("x", ProcessId(1, 1)),))
    status = Status(layout, EventLog(), old)
    assert (status.stored.qemu, status.stored.helpers, status.state) == (None, (), State.RUNNING)


def test_end_of_the_supervisor_is_recorded(layout):
    status = Status(layout, EventLog(), StoredState(state=State.STOPPED))
    status.change(viewer="http://x/")
    status.gone()
    stored = statefile.read(layout.state)
    assert (stored.supervisor, stored.viewer) == (None, None)
