import os
from pathlib import Path

import pytest

from quarterdeck.runtime import blockdevice

NULL = "/dev/null"
"""Stands for a device: any node has numbers. They are those of mem(4)."""
SWAP = "Filename\tType\tSize\tUsed\tPriority\n{path} partition 1 0 -2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("proc/self", "sys/dev/block/1:3/null1"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sys/dev/block/1:3/null1/dev").write_text("1:99\n")
    (tmp_path / "sys/dev/block/1:3/null1/partition").write_text("1\n")
    return tmp_path


def test_a_mounted_partition_is_named_with_its_place(root):
    (root / "proc/self/mountinfo").write_text("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 1:99 / /srv/data rw - ext4 /dev/x rw\n")
    error = blockdevice.in_use(NULL, root=root)
    assert error.key == "device-in-use"
    assert error.reason == "it is mounted at /srv/data"


def test_swap_is_named(root):
    (root / "proc/swaps").write_text(SWAP.format(path=NULL))
    assert blockdevice.in_use(NULL, root=root).reason == "the host swaps to it"


def test_what_stands_on_it_is_named(root):
    (root / "sys/dev/block/1:99/holders/dm-3").mkdir(parents=True)
    (root / "proc/swaps").write_text(SWAP.format(path="/dev/zero"))
    assert blockdevice.in_use(NULL, root=root).reason == "dm-3 stands on it"


def test_a_user_that_cannot_be_seen_is_no_reason_to_guess(root):
    assert blockdevice.in_use(NULL, root=root).reason.startswith("another machine has it")
    assert blockdevice.in_use(os.fspath(root / "gone"), root=root).reason.startswith("another machine has it")
