"""A container's folders, made as the image that was there before makes them, and looked at with real tools."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tiny_guest import tiny_image

from quarterdeck.errors import UsageError
from quarterdeck.machine.environment import FileKind, Found, read_environment
from quarterdeck.machine.spec import Firmware
from quarterdeck.runtime.container.found import find

pytestmark = pytest.mark.integration
MIB = 1 << 20


def make(path: Path, size: str = "64M", kind: str = "raw") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, size], check=True)
    return path


def write(path: Path, kind: str, at: str = "0") -> None:
    subprocess.run(["qemu-io", "-f", kind, "-c", f"write -P 7 {at} 4k", path], check=True, stdout=subprocess.DEVNULL)


def seen(found: Found, path: str) -> tuple[str, int, bool]:
    file = found.at(path)
    assert file is not None, path
    return file.format, file.size, file.blank


def tree(folder: Path) -> Iterator[tuple[str, int, int, bytes]]:
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        yield str(path), status.st_mtime_ns, status.st_mode, path.read_bytes() if path.is_file() else b""


def test_disks_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    make(storage / "data.img")
    write(make(storage / "mint/data.qcow2", kind="qcow2"), "qcow2")
    write(make(storage / "arch/data.img"), "raw", at="1M")
    (storage / "slack").mkdir()
    (storage / "slack/data.img").symlink_to(tiny_image())
    found = find({}, tmp_path)
    assert seen(found, "/storage/data.img") == ("raw", 64 * MIB, True)
    assert seen(found, "/storage/mint/data.qcow2") == ("qcow2", 64 * MIB, False)
    assert seen(found, "/storage/arch/data.img")[2], "only the first 100 KiB count"
    tiny = found.at("/storage/slack/data.img")
    assert tiny is not None
    assert (tiny.bios, tiny.uefi) == (True, False)
    assert read_environment({"BOOT": "slack"}, found).spec.firmware is Firmware.BIOS


def test_a_disk_that_cannot_be_read_counts_as_one_with_data(tmp_path: Path) -> None:
    disk = tmp_path / "storage/data.qcow2"
    disk.parent.mkdir()
    disk.write_bytes(b"QFI\xfb\x00\x00\x00\x03" + b"\xff" * 1000)
    found = find({}, tmp_path)
    assert seen(found, "/storage/data.qcow2") == ("", 1008, False)
    assert read_environment({"BOOT": "mint"}, found).spec.disks[0].image == str(disk)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path / "storage/alpine/data.img")
    make(tmp_path / "storage2/data2.qcow2", kind="qcow2")
    for name in ("boot.iso", "uefi.rom", "uefi.vars", "uefi.tpm", "qemu.mac"):
        (tmp_path / "storage/alpine" / name).write_bytes(b"02:11:32:aa:bb:cc\n")
    before = list(tree(tmp_path))
    found = find({"BOOT": "alpine"}, tmp_path)
    read_environment({"BOOT": "alpine", "TPM": "Y"}, found)
    assert list(tree(tmp_path)) == before
    assert found.text("/storage/alpine/qemu.mac") == "02:11:32:aa:bb:cc\n"


def test_folders_devices_and_room_are_seen(tmp_path: Path) -> None:
    for name in ("storage", "storage2", "shared", "boot.iso", "storage/machines/box"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "disk1")
    found = find({"DEVICE": "/disk1"}, tmp_path)
    kinds = {file.name: file.kind for file in found.files}
    assert kinds["shared"] is kinds["boot.iso"] is kinds["storage2"] is FileKind.FOLDER
    assert kinds["disk1"] is FileKind.OTHER
    assert "machines" not in kinds
    assert (found.room("/storage") or 0) > 0
    assert found.room("/storage3") is None


def test_texts_are_read_and_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text("boot: mint\nmemory: 3G\n")
    assert read_environment({}, find({}, tmp_path)).spec.memory == 3 << 30
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"bad\.yaml cannot be read"):
        find({"SPEC": "/bad.yaml"}, tmp_path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that every user can walk to; pytest's are closed."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="qd-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_folders_that_are_closed_to_the_user_are_passed_over(open_folder: Path) -> None:
    for name in ("storage/machines/box/vm", "storage/closed"):
        (open_folder / name / "tpm").mkdir(parents=True)
        (open_folder / name).chmod(0o700)
    (open_folder / "storage/data.img").touch(mode=0o600)
    look = (
        "import sys, pathlib; from quarterdeck.runtime.container.found import find; print(len(find({}, pathlib.Path(sys.argv[1])).files))"
    )
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = subprocess.run([*nobody, sys.executable, "-c", look, open_folder], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
