"""Operations on machines that do not run, with the real qemu-img and QEMU."""

import asyncio
import json
import os
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.storage.conftest import Home

from quarterdeck.core import fs
from quarterdeck.core.images import ImageFile
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.load import spec_to_json
from quarterdeck.machine.spec import DiskFormat, DiskSpec, NetworkSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage.chain import flaws
from quarterdeck.runtime.storage.restore import restore

pytestmark = pytest.mark.integration
MIB = 1 << 20
SIZE_ODD = 3 * MIB + 512
"""No multiple of a cluster: the last one is cut."""


def test_snapshot_brings_back_all_disks_and_the_firmware_variables(home):
    layout = home.machine()
    storage = home.storage(layout)
    for index in (0, 1):
        home.pattern(layout, 0x22, index=index)
    made = asyncio.run(storage.create_snapshot("a"))
    assert (made["consistency"], made["disks"]) == ("stopped", ["disk0", "disk1"])
    before = home.content(layout), home.content(layout, 1)
    for index in (0, 1):
        home.pattern(layout, 0x33, index=index, size=2 * MIB)
    layout.firmware_variables.write_bytes(b"changed")
    asyncio.run(storage.restore_snapshot("a"))
    assert (home.content(layout), home.content(layout, 1)) == before
    assert layout.firmware_variables.read_bytes() == b"variables"
    assert layout.firmware_variables.stat().st_uid == layout.vm.stat().st_uid
    asyncio.run(storage.remove_snapshot("a"))
    assert storage.snapshots() == []
    home.whole(layout)


def test_backups_grow_by_what_changed_and_each_can_be_restored(home):
    layout = home.machine("m", DiskSpec(size=SIZE_ODD), DiskSpec(size=MIB, format=DiskFormat.RAW))
    storage, folder = home.storage(layout), home.path / "backups"
    states = []
    for value in (0x22, 0x33, 0x00):
        home.pattern(layout, value, index=0, at=value * 4096, size=200_704)
        home.pattern(layout, value, index=1, at=65536, size=65536)
        home.pattern(layout, value, index=2, size=4096)
        asyncio.run(storage.back_up(folder))
        states.append([home.content(layout, index) for index in (0, 1)])
    listed = json.loads(home.qd("backup", "--list", str(folder), "--json").stdout)
    assert [one["kind"] for one in listed] == ["full", "incremental", "incremental"]
    assert home.qd("backup", "--verify", str(folder)).returncode == 0
    for number, (one, state) in enumerate(zip(listed, states, strict=True)):
        made = asyncio.run(restore(home.store, folder, name=f"r{number}", number=one["id"], report=home.hear))
        assert [home.content(made, index) for index in (0, 1)] == state
        assert (made.vm / "uefi-vars.fd").read_bytes() == b"variables"
    home.whole(layout)


def test_restored_machines_have_disks_before_their_first_start(home):
    layout, folder = home.machine(), home.path / "backups"
    home.pattern(layout, 0x22)
    asyncio.run(home.storage(layout).back_up(folder))
    made = asyncio.run(restore(home.store, folder, name="r", report=home.hear))
    assert [stat.S_IMODE(path.stat().st_mode) for path in made.vm.glob("disk*")] == [0o600, 0o600]
    for words in (["snapshot", "create", "r", "a"], ["grow", "r", "8M"], ["clone", "r", "f", "--full"], ["export", "r", "--to", "EXPORT"]):
        done = home.qd(*[str(home.path / "r.ova") if word == "EXPORT" else word for word in words])
        assert done.returncode == 0, done.stderr
    done = home.qd("clone", "f", "l")
    assert done.returncode == 0, done.stderr
    assert home.content(home.store.layout("l"))[: 4 * MIB] == home.content(layout)


def test_damaged_or_missing_link_is_named_before_anything_is_made(home):
    layout = home.machine()
    storage, folder = home.storage(layout), home.path / "backups"
    first = asyncio.run(storage.back_up(folder))["id"]
    home.pattern(layout, 0x44)
    asyncio.run(storage.back_up(folder))
    disk = folder / first / "disk0.qcow2"
    content = bytearray(disk.read_bytes())
    content[len(content) // 2] ^= 1
    disk.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        asyncio.run(restore(home.store, folder, name="r", report=home.hear))
    assert first in caught.value.reason
    assert "disk0.qcow2" in caught.value.reason
    assert home.store.names() == ["m"]
    verified = home.qd("backup", "--verify", str(folder))
    assert verified.returncode == 1
    assert first in verified.stdout
    (folder / first).rename(home.path / "elsewhere")
    with pytest.raises(MediaError) as missing:
        asyncio.run(restore(home.store, folder, name="r", report=home.hear))
    assert first in missing.value.reason
    assert [path for path in home.path.glob("layers/*") if path.is_dir()] == []


def test_backup_after_a_restored_snapshot_is_full_again_and_right(home):
    layout = home.machine()
    storage, folder = home.storage(layout), home.path / "backups"
    asyncio.run(storage.create_snapshot("a"))
    home.pattern(layout, 0x55)
    asyncio.run(storage.back_up(folder))
    asyncio.run(storage.restore_snapshot("a"))
    again = asyncio.run(storage.back_up(folder))
    assert again["kind"] == "full"
    made = asyncio.run(restore(home.store, folder, name="r", report=home.hear))
    assert home.content(made) == home.content(layout) == b"\x11" * (4 * MIB)


def test_linked_clones_share_a_layer_that_outlives_the_original(home):
    layout = home.machine("m", DiskSpec(size=MIB, format=DiskFormat.RAW))
    storage = home.storage(layout)
    home.pattern(layout, 0x66)
    home.pattern(layout, 0x77, index=1)
    before = home.content(layout)
    asyncio.run(storage.clone("c"))
    asyncio.run(storage.clone("d"))
    layers = [path for path in (home.path / "layers").iterdir() if path.is_dir()]
    assert len(layers) == 1  # nothing was written between the two
    home.pattern(layout, 0x12, index=0)
    clone = home.store.layout("c")
    assert home.content(clone) == before
    assert home.content(clone, 1)[:65536] == b"\x77" * 65536
    assert home.content(layout) != before
    home.whole(layout)
    home.store.remove("m")
    home.store.remove("d")
    assert home.content(clone) == before
    home.store.remove("c")
    assert [path for path in (home.path / "layers").iterdir() if path.is_dir()] == []
    assert (home.path / "base.raw").read_bytes() == b"\x11" * (4 * MIB)


def test_full_clone_stands_alone_and_says_which_ports_it_shares(home):
    layout = home.machine()
    spec = home.store.spec("m")
    fs.write_atomic(layout.spec, spec_to_json(replace(spec, networks=(NetworkSpec(ports=("8080:80",)),))).encode())
    home.pattern(layout, 0x66)
    asyncio.run(home.storage(layout).create_snapshot("a"))
    before = home.content(layout)
    done = home.qd("clone", "m", "f", "--full")
    assert done.returncode == 0, done.stderr
    assert "port 127.0.0.1:8080:80 is also one of 'm'" in done.stderr
    other = home.qd("clone", "m", "g", "--full", "--port", "8081:80", "--json")
    assert json.loads(other.stdout) == {"name": "g", "clashes": []}
    home.store.remove("m")
    (home.path / "base.raw").unlink()
    assert home.content(home.store.layout("f")) == before


@pytest.mark.parametrize(
    ("disk", "key"), [(DiskSpec(size=MIB, format=DiskFormat.RAW), "disk-raw"), (DiskSpec(image="BASE", in_place=True), "disk-in-place")]
)
def test_disks_that_cannot_hold_snapshots_are_refused_with_the_reason(home, disk, key):
    base = str(home.path / "own.raw")
    (home.path / "own.raw").write_bytes(b"\x01" * MIB)
    if disk.image:
        layout = home.machine("m")

        spec = replace(home.store.spec("m"), disks=(DiskSpec(), replace(disk, image=base)))
        fs.write_atomic(layout.spec, spec_to_json(spec).encode())
        found = assets.pinned(layout)
        assert isinstance(found, LocalAssets)
        assets.pin(layout, replace(found, images=((base, ImageFile(base, "raw", MIB)),)))
    else:
        layout = home.machine("m", disk)
    with pytest.raises(UsageError) as caught:
        asyncio.run(home.storage(layout).create_snapshot("a"))
    assert caught.value.key == key
    assert caught.value.reason
    made = asyncio.run(home.storage(layout).back_up(home.path / "backups"))
    assert made["disks"] == ["disk0", "disk1"]


def test_disk_grows_and_never_shrinks(home):
    layout = home.machine()
    storage = home.storage(layout)
    home.pattern(layout, 0x66, index=1)
    assert asyncio.run(storage.grow(8 * MIB + 1, index=1)) == {"disk": 1, "size": 8 * MIB + 512}
    assert home.store.spec("m").disks[1].size == 8 * MIB + 512
    assert home.content(layout, 1)[:65536] == b"\x66" * 65536
    with pytest.raises(UsageError) as caught:
        asyncio.run(storage.grow(MIB, index=1))
    assert caught.value.key == "disk-shrinks"
    home.whole(layout)


def test_backup_into_a_full_folder_fails_cleanly(home):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    layout, folder = home.machine(), home.path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        done = home.qd("backup", "m", "--to", str(folder))
        assert done.returncode == 3, done.stderr
        assert "no space" in done.stderr.lower()
        assert flaw_free_and_empty(folder)
        home.whole(layout)
    finally:
        subprocess.run(["umount", folder], check=True)
    assert asyncio.run(home.storage(layout).back_up(home.path / "roomy"))["kind"] == "full"


def test_on_a_full_disk_every_command_says_so_and_loses_nothing(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    path = Path(tempfile.mkdtemp(dir="/tmp", prefix="qd-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=0711", "tmpfs", path], check=False).returncode:
        pytest.skip("this container may not mount")
    monkeypatch.setenv("QUARTERDECK_HOME", str(path))
    home = Home(path)
    try:
        layout = home.machine()
        asyncio.run(home.storage(layout).create_snapshot("a"))
        home.pattern(layout, 0x22)
        with suppress(OSError), (path / "ballast").open("wb") as file:
            while file.write(bytes(4096)):
                file.flush()
        to = str(tmp_path / "backups")
        for words in (["snapshot", "create", "m", "b"], ["snapshot", "restore", "m", "a", "--yes"], ["grow", "m", "64M"], ["start", "m"]):
            done = home.qd(*words)
            assert done.returncode == 3, done.stderr
            assert "No space left" in done.stderr
            assert "free some space" in done.stderr
        assert home.qd("backup", "m", "--to", to).returncode == 3
        (path / "ballast").unlink()
        assert home.qd("snapshot", "restore", "m", "a", "--yes").returncode == 0
        assert home.qd("backup", "m", "--to", to).returncode == 0
        home.whole(layout)
    finally:
        subprocess.run(["umount", path], check=True)
        path.rmdir()


def flaw_free_and_empty(folder):
    return list(flaws(folder)) == [] and [path.name for path in folder.iterdir() if path.name != ".lock"] == []
