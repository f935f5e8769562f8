import os
import stat

import pytest

from quarterdeck.core import clock
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import DiskSpec, DisplayKind, DisplaySpec, MachineSpec
from quarterdeck.runtime import statefile
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import ProcessId, StoredState
from quarterdeck.runtime.store import MachineStore, lock_machine


@pytest.fixture
def store(tmp_path) -> MachineStore:
    return MachineStore(tmp_path / "machines")


def test_created_machine_is_listed(store):
    store.create(MachineSpec(name="one", boot="debian", cpus=3, memory=1 << 30))
    (record,) = store.list()
    assert (record.name, record.state, record.boot, record.cpus, record.memory) == ("one", State.CREATED, "debian", 3, 1 << 30)
    assert store.spec("one").cpus == 3


def test_a_new_machine_has_the_screen_that_is_asked_for(store):
    layouts = [store.create(MachineSpec(name=kind.value, display=DisplaySpec(kind=kind))) for kind in DisplayKind]
    assert [statefile.read(layout.state).display for layout in layouts] == [kind.value for kind in DisplayKind]


def test_store_without_a_folder_is_empty(store):
    assert store.list() == []


@pytest.mark.parametrize(
    ("boot", "names"),
    [
        ("debian:trixie", ["debian", "debian-2", "debian-3"]),
        ("/images/My Disk.qcow2", ["my-disk", "my-disk-2"]),
        ("/images/äöü.qcow2", ["machine", "machine-2"]),
        (None, ["machine", "machine-2"]),
    ],
)
def test_name_is_made_from_what_boots(store, boot, names):
    assert [store.create(MachineSpec(boot=boot)).root.name for _ in names] == names


def test_name_comes_from_the_first_disk_without_boot(store):
    assert store.create(MachineSpec(disks=(DiskSpec(image="/x/alpine.raw"),))).root.name == "alpine"


def test_name_that_is_taken_is_refused(store):
    store.create(MachineSpec(name="one"))
    with pytest.raises(UsageError) as caught:
        store.create(MachineSpec(name="one"))
    assert caught.value.key == "name-taken"
    assert [path.name for path in store.root.iterdir()] == ["one"]


def test_unknown_machine_is_named_with_close_ones(store):
    store.create(MachineSpec(name="debian-2"))
    with pytest.raises(UsageError) as caught:
        store.get("debain-2")
    assert caught.value.key == "unknown-machine"
    assert "debian-2" in caught.value.hint


@pytest.mark.parametrize("name", ["", "..", "../one", "/", "one/", "One", "a\0b", "x" * 300])
def test_names_that_are_none_never_leave_the_store(store, name):
    store.create(MachineSpec(name="one"))
    with pytest.raises(UsageError):
        store.get(name)


def test_damaged_state_is_shown_and_the_others_too(store):
    layout = store.create(MachineSpec(name="bad"))
    store.create(MachineSpec(name="good"))
    layout.state.write_text("{")
    assert [(record.name, record.state) for record in store.list()] == [("bad", State.UNKNOWN), ("good", State.CREATED)]
    assert store.get("bad").reason == "state.json is not JSON"


def test_strange_things_in_the_folder_are_no_machines(store):
    store.create(MachineSpec(name="one"))
    (store.root / "file").touch()
    (store.root / ".new-x").mkdir()
    assert store.names() == ["one"]


def test_folder_can_be_passed_through_but_not_read_by_others(store):
    layout = store.create(MachineSpec(name="one"))
    assert stat.S_IMODE(layout.root.stat().st_mode) == 0o711
    assert stat.S_IMODE(layout.spec.stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600


def test_removed_machine_is_gone(store):
    layout = store.create(MachineSpec(name="one"))
    layout.vm.mkdir()
    (layout.vm / "disk0.qcow2").touch()
    store.remove("one")
    assert store.list() == []
    assert list(store.root.iterdir()) == []


def test_machine_in_use_is_not_removed(store):
    layout = store.create(MachineSpec(name="one"))
    lock = lock_machine(layout)
    with pytest.raises(UsageError) as caught:
        store.remove("one")
    os.close(lock)
    assert caught.value.key == "machine-busy"
    store.remove("one")


def test_lock_of_a_removed_machine_is_worth_nothing(store):
    layout = store.create(MachineSpec(name="one"))
    store.remove("one")
    with pytest.raises(UsageError) as caught:
        lock_machine(layout)
    assert caught.value.key == "unknown-machine"


def test_machine_whose_qemu_lives_alone_is_unsupervised_and_kept(store):
    layout = store.create(MachineSpec(name="one"))
    handle = ProcessHandle.find(os.getpid())
    assert handle is not None
    statefile.write(layout.state, StoredState(state=State.READY, boot_id=clock.boot_id(), qemu=ProcessId.of(handle)))
    record = store.get("one")
    assert (record.state, record.supervised, record.qemu_alive, record.pid) == (State.READY, False, True, os.getpid())
    with pytest.raises(UsageError):
        store.remove("one")


def test_damaged_spec_is_an_error_with_a_way_on(store):
    layout = store.create(MachineSpec(name="one"))
    layout.spec.write_text('{"cpus": "many"}')
    with pytest.raises(UsageError):
        store.spec("one")
    layout.spec.unlink()
    with pytest.raises(UsageError) as caught:
        store.spec("one")
    assert caught.value.key == "damaged-spec"


def test_path_that_is_too_long_for_sockets_is_refused(tmp_path):
    store = MachineStore(tmp_path / ("x" * 100))
    with pytest.raises(UsageError) as caught:
        store.create(MachineSpec(name="one"))
    assert caught.value.key == "path-too-long"


def test_record_is_json(store):
    store.create(MachineSpec(name="one"))
    shown = store.get("one").to_json()
    assert shown["state"] == "created"
    assert shown["supervised"] is False


def test_imagined_machine_is_the_one_that_would_be_made(store):
    store.create(MachineSpec(boot="debian"))
    layout, spec = store.imagine(MachineSpec(boot="debian"))
    assert (layout.root.name, spec.name) == ("debian-2", "debian-2")
    assert store.names() == ["debian"]
    assert store.imagine(MachineSpec(name="debian"))[0].root.name == "debian"
