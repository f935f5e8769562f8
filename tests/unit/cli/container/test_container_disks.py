"""Disk files in the container's folders: made, enlarged, or left alone."""

from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.cli.container import disks
from quarterdeck.machine.environment import DiskFile

MIB = 1 << 20


@pytest.fixture
def done(monkeypatch) -> list[Any]:
    """Record what is done instead of doing it; every file that is there has 64 MiB."""
    calls: list[Any] = []

    async def create(path, options, *, size, report):
        calls.append(("create", path.name, options.kind.name, size, options.preallocation, options.more))

    async def resize(path, size, *, report):
        calls.append(("resize", path.name, size))

    async def info(path):
        return SimpleNamespace(virtual_size=64 * MIB)

    for name, fake in (("create", create), ("resize_in_place", resize), ("info", info)):
        monkeypatch.setattr(disks, name, fake)
    return calls


def wanted(path, **more) -> DiskFile:
    return DiskFile(**{"path": str(path), "size": 128 * MIB, "format": "raw", **more})


def test_what_is_missing_is_made_as_it_was_asked_for(tmp_path, done):
    disks.provide([wanted(tmp_path / "data2.img"), wanted(tmp_path / "data3.qcow2", format="qcow2", preallocate=True)])
    assert [call[:5] for call in done] == [
        ("create", "data2.img", "raw", 128 * MIB, None),
        ("create", "data3.qcow2", "qcow2", 128 * MIB, "falloc"),
    ]


@pytest.mark.parametrize(("size", "calls"), [(128, 1), (64, 0), (32, 0)])
def test_what_is_there_only_grows(tmp_path, done, size, calls):
    (tmp_path / "data2.img").touch()
    disks.provide([wanted(tmp_path / "data2.img", size=size * MIB)])
    assert len(done) == calls
    assert all(call[0] == "resize" for call in done)


def test_a_link_that_leads_nowhere_is_never_written_through(tmp_path, done, monkeypatch):
    (tmp_path / "data2.img").symlink_to(tmp_path / "gone")

    async def missing(path):
        raise OSError("no such file")

    monkeypatch.setattr(disks, "info", missing)
    with pytest.raises(OSError, match="no such file"):
        disks.provide([wanted(tmp_path / "data2.img")])
    assert done == []
