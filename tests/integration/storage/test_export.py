"""Machines at rest, exported and read again by others' programs."""

import asyncio
import hashlib
import json
import subprocess
import tarfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from quarterdeck.cli.reach import reach
from quarterdeck.core import fs
from quarterdeck.core.report import silent
from quarterdeck.errors import UsageError
from quarterdeck.media.disk.convert import convert
from quarterdeck.media.disk.kinds import KINDS, Options
from quarterdeck.media.export.export import find_form
from quarterdeck.runtime.exporting.export import export_machine

pytestmark = pytest.mark.integration
OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"


def export(home, target, *, form=None, disk=0, compress=False):
    chosen = find_form(form, target, compress=compress)
    return asyncio.run(export_machine(home.store, "m", target, form=chosen, reach=reach, disk=disk, report=silent))


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["tar", "--no-same-owner", "-xf", archive, "-C", folder], check=True)


def raw(path: Path, format: str, folder: Path) -> bytes:
    target = folder / "content.raw"
    subprocess.run(["qemu-img", "convert", "-f", format, "-O", "raw", path, target], check=True)
    return target.read_bytes()


@pytest.mark.parametrize(("form", "driver"), [("qcow2", "qcow2"), ("raw", "raw"), ("vmdk", "vmdk"), ("vhdx", "vhdx"), ("vhd", "vpc")])
def test_a_disk_with_all_it_stands_on_is_one_file(home, form, driver):
    layout = home.machine()
    home.pattern(layout, 0x22)
    target = home.path / f"out.{form}"
    assert export(home, target).format == form
    assert raw(target, driver, home.path) == home.content(layout)
    home.whole(layout)


def test_an_ova_holds_all_disks_and_what_the_machine_needs(home):
    layout = home.machine()
    for index in (0, 1):
        home.pattern(layout, 0x22 + index, index=index)
    target = home.path / "out.ova"
    export(home, target, disk=None)
    with tarfile.open(target) as tar:
        names = tar.getnames()
    unpack(target, home.path / "inside")
    assert names == ["m.ovf", "m.mf", "m-disk1.vmdk", "m-disk2.vmdk"]
    assert target.read_bytes()[257:263] == b"ustar\0"
    inside = home.path / "inside"
    for line in (inside / "m.mf").read_text().splitlines():
        name, _, digest = line.removeprefix("SHA256(").partition(")= ")
        assert hashlib.sha256((inside / name).read_bytes()).hexdigest() == digest
    for index in (0, 1):
        assert raw(inside / f"m-disk{index + 1}.vmdk", "vmdk", home.path) == home.content(layout, index)
    root = ET.parse(inside / "m.ovf").getroot()
    files = [file.get(f"{OVF}href") for file in root.iter(f"{OVF}File")]
    assert files == names[2:]
    assert [int(disk.get(f"{OVF}capacity") or 0) for disk in root.iter(f"{OVF}Disk")] == [len(home.content(layout, i)) for i in (0, 1)]


def test_our_own_reader_takes_an_ova(home):
    layout = home.machine()
    home.pattern(layout, 0x55)
    export(home, home.path / "out.ova")
    copy = home.path / "copy.qcow2"
    asyncio.run(convert(home.path / "out.ova", copy, Options(kind=KINDS[0]), report=silent))
    assert raw(copy, "qcow2", home.path) == home.content(layout)


def test_a_container_disk_is_an_image_that_skopeo_reads(home):
    layout = home.machine()
    home.pattern(layout, 0x33)
    target, folder = home.path / "out.tar", home.path / "copied"
    done = home.qd("export", "m", "--to", str(target), "--format", "containerdisk", "--disk", "0", "--compress")
    assert done.returncode == 0, done.stderr
    assert "skopeo copy" in done.stderr
    subprocess.run(["skopeo", "copy", "-q", f"oci-archive:{target}", f"dir:{folder}"], check=True, timeout=60)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    config = json.loads((folder / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    with tarfile.open(target) as tar:
        assert [one.name for one in tar if one.isdir()] == ["blobs", "blobs/sha256"]  # which skopeo cannot make for ordinary users
    (layer,) = manifest["layers"]
    with tarfile.open(folder / layer["digest"].removeprefix("sha256:")) as tar:
        assert [(one.name, one.uid, one.gid) for one in tar] == [("disk", 107, 107), ("disk/m.qcow2", 107, 107)]
    unpack(folder / layer["digest"].removeprefix("sha256:"), home.path)
    assert raw(home.path / "disk/m.qcow2", "qcow2", home.path) == home.content(layout)
    first = target.read_bytes()
    export(home, home.path / "again.tar", form="containerdisk", compress=True)
    assert (home.path / "again.tar").read_bytes() == first


@pytest.mark.parametrize(
    ("form", "disk", "compress", "key"),
    [
        (None, None, False, "several-disks"),
        ("ova", 9, False, "no-such-disk"),
        ("qed", 0, False, "unknown-format"),
        ("raw", 0, True, "cannot-compress"),
    ],
)
def test_what_cannot_be_exported_is_refused(home, form, disk, compress, key):
    home.machine()
    with pytest.raises(UsageError) as caught:
        export(home, home.path / "out", form=form, disk=disk, compress=compress)
    assert caught.value.key == key
    assert not (home.path / "out").exists()


def test_a_machine_that_is_held_is_not_exported(home):
    layout = home.machine()
    with fs.locked(layout.lock), pytest.raises(UsageError) as caught:
        export(home, home.path / "out")
    assert caught.value.key == "machine-busy"


def test_a_killed_export_leaves_the_machine_as_it_was_and_the_next_one_cleans_up(home):
    layout = home.machine()
    home.pattern(layout, 0x77)
    folder = home.path / "exports"
    folder.mkdir()
    words = ["export", "m", "--to", str(folder / "m.ova")]
    with subprocess.Popen(home.words(*words), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None and not list(folder.glob(".quarterdeck-*.work/*.vmdk")):
            time.sleep(0.002)
        child.kill()
    assert not (folder / "m.ova").exists()
    home.whole(layout)
    done = home.qd(*words)
    assert done.returncode == 0, done.stderr
    assert "interrupted run left" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["m.ova"]
