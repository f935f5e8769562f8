import json
import os

import pytest

from quarterdeck.core import clock
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.runtime import statefile
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import CorruptStateError, ProcessId, StoredState

GONE = ProcessId(2**22 - 1, 1)


def _us() -> ProcessId:
    handle = ProcessHandle.find(os.getpid())
    assert handle is not None
    return ProcessId.of(handle)


def _full() -> StoredState:
    return StoredState(
        state=State.READY,
        since=1.5,
        reason="because",
        boot_id=clock.boot_id(),
        supervisor=_us(),
        qemu=GONE,
        helpers=(("passt", GONE),),
        viewer="http://127.0.0.1:8006/",
        arch="x86_64",
        cpus=2,
        memory=1 << 30,
        ports=({"host": 2222, "guest": 22},),
        sockets=(("qmp", "/x/qmp.sock"),),
        taps=("tap0",),
        display="vnc",
        login="debian",
        error={"key": "x"},
    )


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "state.json"
    statefile.write(path, _full())
    assert statefile.read(path) == _full()


def test_file_of_an_older_version_with_fewer_fields_is_read(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"state": "stopped", "since": 3}')
    assert statefile.read(path) == StoredState(state=State.STOPPED, since=3.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"running"',
        b"\xff\xfe",
        b"{}",
        b'{"state": "dancing", "since": 1}',
        b'{"state": "running"}',
        b'{"state": "running", "since": "soon"}',
        b'{"state": "running", "since": 1, "qemu": {"pid": "x", "started": 2}}',
        b'{"state": "running", "since": 1, "qemu": [1, 2]}',
        b'{"state": "running", "since": 1, "helpers": [1]}',
        b'{"state": "running", "since": 1, "sockets": []}',
        b'{"state": "running", "since": 1, "ports": [1]}',
        b"[" * 100_000,
    ],
)
def test_damaged_file_is_named_as_such(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(CorruptStateError) as caught:
        statefile.read(path)
    assert "state.json" in str(caught.value)


def test_missing_file_is_damage_too(tmp_path):
    with pytest.raises(CorruptStateError):
        statefile.read(tmp_path / "state.json")


def test_state_with_a_living_process_stands():
    assert _full().settled().state is State.READY


def test_state_without_a_living_process_is_a_crash():
    dead = StoredState(state=State.RUNNING, boot_id=clock.boot_id(), qemu=GONE, supervisor=GONE).settled()
    assert (dead.state, dead.reason, dead.qemu) == (State.CRASHED, "QEMU is gone", None)


def test_interrupted_preparation_is_called_so():
    dead = StoredState(state=State.PREPARING, boot_id=clock.boot_id(), supervisor=GONE).settled()
    assert (dead.state, dead.reason) == (State.CRASHED, "its preparation was interrupted")


def test_state_of_another_boot_of_the_host_is_a_crash_even_if_pids_match():
    dead = StoredState(state=State.RUNNING, boot_id="another", qemu=_us()).settled()
    assert (dead.state, dead.reason) == (State.CRASHED, "the host went down")


def test_resting_states_are_left_alone():
    stopped = StoredState(state=State.STOPPED, boot_id="another")
    assert stopped.settled() is stopped


def test_reused_pid_is_not_mistaken():
    us = _us()
    assert us.alive()
    assert not ProcessId(us.pid, us.started + 1).alive()
    assert not ProcessId(0, 0).alive()
    assert not ProcessId(-1, 0).alive()


def test_json_holds_pids_with_start_ticks():
    shown = json.loads(json.dumps(statefile.to_json(_full())))
    assert shown["qemu"] == {"pid": GONE.pid, "started": 1}
    assert shown["helpers"] == {"passt": {"pid": GONE.pid, "started": 1}}
