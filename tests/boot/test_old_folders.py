"""A folder of the image that was there before: its guest boots, writes to its disk, and nothing else in the folder changes."""

import asyncio
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.boot.lifecycle_lab import Lab, lab
from tests.tiny_guest import tiny_image

from quarterdeck.machine.environment import ContainerWish, read_environment
from quarterdeck.machine.spec import Accel, ViewerSpec
from quarterdeck.runtime.container.found import find
from quarterdeck.runtime.state import State

pytestmark = pytest.mark.boot
MARK = "written by the guest"
PLACE = 40 << 20
"""Where the guest writes: behind its kernel, which it has read by then."""


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.fixture
def storage(lab: Lab) -> Path:
    """Make what the old image leaves behind: the system on its disk, firmware, state of the TPM, the card's address."""
    folder = lab.store.root.parent / "root/storage/tiny"
    folder.mkdir(parents=True)
    shutil.copyfile(tiny_image(), folder / "data.img")
    (folder / "qemu.mac").write_text("02:11:32:AA:BB:CC\n")
    (folder / "uefi.rom").write_bytes(bytes(1000))
    make_tpm(folder / "uefi.tpm")
    shutil.copyfile("/usr/share/OVMF/OVMF_VARS_4M.fd", folder / "uefi.vars")
    return folder


def make_tpm(state: Path) -> None:
    """Let swtpm make its state in one file, as the old image has it."""
    control = state.with_suffix(".control")
    words = ["swtpm", "socket", "--tpm2", "--tpmstate", f"backend-uri=file://{state}", "--ctrl", f"type=unixio,path={control}", "--daemon"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    for command in ("-i", "-s"):  # the first makes the state, the second ends the program
        subprocess.run(["swtpm_ioctl", "--unix", control, command], check=True)
    control.unlink(missing_ok=True)


def wish(storage: Path, **env: str) -> ContainerWish:
    variables = {"BOOT": "tiny", "RAM_SIZE": "256", "CPU_CORES": "1", "DISK_TYPE": "blk", "NETWORK": "user", **env}
    made = read_environment(variables, find(variables, storage.parents[1]))
    return replace(made, spec=replace(made.spec, accel=Accel.TCG, arch="x86_64", viewer=ViewerSpec(port=0)))


def fingerprints(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), (s := path.stat()).st_mode, s.st_uid, s.st_mtime_ns) for path in files
    }


async def test_the_guest_goes_on_where_it_was_and_only_its_own_writes_are_new(lab: Lab, storage: Path) -> None:
    before, disk = fingerprints(storage), storage / "data.img"
    old = disk.read_bytes()
    lab.store.create((await asyncio.to_thread(wish, storage, BOOT_MODE="legacy")).spec)
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.serial.command("sh cat /sys/class/net/eth0/address")
        await machine.serial.expect("02:11:32:aa:bb:cc")
        await machine.serial.command(f"sh printf '{MARK}' | dd of=/dev/vda bs=512 seek={PLACE // 512} conv=notrunc,fsync")
        await machine.serial.expect("> ended")
        await machine.supervisor.stop()
        assert await machine.code() == 0
    new = disk.read_bytes()
    expected = old[:PLACE] + MARK.encode() + old[PLACE + len(MARK) :]
    assert new == expected
    after = fingerprints(storage)
    assert {name for name in before if before[name] != after.get(name)} == {"data.img"}
    assert after["data.img"][1:3] == before["data.img"][1:3], "owner and mode"
    assert set(before) == set(after)


async def test_firmware_variables_and_the_tpm_begin_as_copies_and_the_old_ones_stay(lab: Lab, storage: Path) -> None:
    before = fingerprints(storage)
    layout = lab.store.create((await asyncio.to_thread(wish, storage, TPM="Y")).spec)
    async with lab.supervised() as machine:
        await machine.until("running", "ready")
        await machine.supervisor.kill()
        await machine.code()
    assert layout.firmware_variables.stat().st_size == (storage / "uefi.vars").stat().st_size
    assert layout.tpm_file.stat().st_size >= (storage / "uefi.tpm").stat().st_size > 0
    assert {name for name, print_ in fingerprints(storage).items() if print_ != before[name]} <= {"data.img"}
    assert lab.store.get("tiny").state is State.STOPPED
