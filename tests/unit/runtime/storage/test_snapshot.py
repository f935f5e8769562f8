import pytest

from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.storage import snapshot
from quarterdeck.runtime.storage.snapshot import Snapshot


@pytest.fixture(name="layout")
def _layout(tmp_path):
    return MachineLayout(tmp_path)


def put(layout, tag, created):
    snapshot.stage(layout)
    snapshot.publish(layout, Snapshot(tag=tag, created=created, memory=False, consistency="stopped", disks=("disk0",)))


def test_snapshots_are_listed_by_age_and_staged_ones_are_not(layout):
    assert snapshot.load_all(layout) == []
    put(layout, "b", 1.0)
    put(layout, "a", 2.0)
    snapshot.stage(layout)
    assert [one.tag for one in snapshot.load_all(layout)] == ["b", "a"]


@pytest.mark.parametrize("tag", ["", ".", "..", "a/b", "-x", "a b", "x" * 64, "ä", "a\n"])
def test_names_that_are_no_file_names_are_refused(layout, tag):
    with pytest.raises(UsageError) as caught:
        snapshot.fresh_tag(layout, tag)
    assert caught.value.key == "invalid-tag"


def test_taken_name_is_refused_until_it_is_withdrawn(layout):
    put(layout, "a", 1.0)
    with pytest.raises(UsageError):
        snapshot.fresh_tag(layout, "a")
    snapshot.withdraw(layout, "a")
    snapshot.withdraw(layout, "a")
    assert snapshot.fresh_tag(layout, "a") == "a"


def test_unknown_snapshot_names_those_that_there_are(layout):
    put(layout, "a", 1.0)
    with pytest.raises(UsageError) as caught:
        snapshot.load(layout, "b")
    assert caught.value.hint == "there are: a"
