"""A machine follows a spec that is written anew at each start, and keeps what it is made of."""

import os
from dataclasses import replace

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import Cache, DiskSpec, MachineSpec
from quarterdeck.runtime.renew import merge, renew
from quarterdeck.runtime.store import MachineStore, lock_machine, read_spec

GIB = 1 << 30
SPEC = MachineSpec(name="box", boot="debian", memory=GIB, disks=(DiskSpec(size=8 * GIB),))


@pytest.fixture
def store(tmp_path) -> MachineStore:
    return MachineStore(tmp_path / "machines")


def test_what_is_no_disk_follows_the_new_spec():
    new = replace(SPEC, memory=2 * GIB, cpus=3, disks=(replace(SPEC.disks[0], cache=Cache.NONE),))
    assert merge(SPEC, new) == new


def test_what_disks_are_made_of_stays():
    new = replace(SPEC, boot="mint", disks=(DiskSpec(image="/other.qcow2", size=16 * GIB),))
    merged = merge(SPEC, new)
    assert merged.boot == "debian"
    assert merged.disks == SPEC.disks


def test_disks_are_added_and_left_out():
    more = replace(SPEC, disks=(*SPEC.disks, DiskSpec(size=GIB)))
    assert merge(SPEC, more).disks == more.disks
    assert merge(more, SPEC).disks == SPEC.disks


def test_the_first_start_makes_the_machine(store):
    renewed = renew(store, SPEC)
    assert (renewed.grows, renewed.notes) == ((), ())
    assert read_spec(renewed.layout) == SPEC


def test_later_starts_change_it_and_say_what_they_do_not(store):
    renew(store, replace(SPEC, disks=(*SPEC.disks, DiskSpec(size=GIB))))
    renewed = renew(store, replace(SPEC, boot="mint", memory=2 * GIB, disks=(DiskSpec(size=4 * GIB),)))
    assert renewed.grows == ()
    assert len(renewed.notes) == 3
    assert [word for word in ("made from debian", "disk 1", "never shrinks") if word in " ".join(renewed.notes)] == [
        "made from debian",
        "disk 1",
        "never shrinks",
    ]
    stored = read_spec(renewed.layout)
    assert (stored.memory, stored.boot, len(stored.disks)) == (2 * GIB, "debian", 1)


def test_disks_that_should_be_larger_are_named_with_their_size(store):
    renew(store, SPEC)
    renewed = renew(store, replace(SPEC, disks=(DiskSpec(size=16 * GIB),)))
    assert renewed.grows == ((0, 16 * GIB),)
    assert read_spec(renewed.layout).disks[0].size == 8 * GIB, "whoever grows it writes that down"


def test_a_machine_in_use_is_left_alone(store):
    layout = renew(store, SPEC).layout
    lock = lock_machine(layout)
    try:
        with pytest.raises(UsageError, match="box"):
            renew(store, replace(SPEC, memory=2 * GIB))
    finally:
        os.close(lock)
    assert read_spec(layout).memory == GIB
