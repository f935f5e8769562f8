"""Devices that change while a real guest runs: its memory, its USB devices, its clock."""

import asyncio
import os
import shutil
from collections.abc import Iterator

import pytest
from tests.boot.lifecycle_lab import Lab, lab, until
from tests.tiny_guest import tiny_image
from tests.unit.runtime.hotplug.fake_bus import FakeBus

from quarterdeck.core.process import run
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host import resources
from quarterdeck.machine.spec import BallooningSpec, Cache, DiskSpec, Firmware
from quarterdeck.runtime.balloon.watch import actual_size
from quarterdeck.runtime.hotplug import plug

pytestmark = pytest.mark.boot
MIB = 1 << 20


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


async def until_memory(machine, least: int, most: int) -> None:
    """Wait until the guest has between ``least`` and ``most`` bytes."""
    for _ in range(600):
        if least <= await actual_size(machine.supervisor._instance.qmp) <= most:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("its memory never came to that")


async def test_the_guest_gives_memory_to_a_host_in_need_and_gets_it_back(lab, monkeypatch):
    lab.create(ballooning=BallooningSpec(minimum=160 * MIB, hysteresis=64 * MIB, interval=1))
    async with lab.supervised() as machine:
        await machine.boot()
        assert await actual_size(machine.supervisor._instance.qmp) == 256 * MIB
        monkeypatch.setattr(resources, "memory", lambda: resources.Memory(8 << 30, 0))
        await until_memory(machine, 160 * MIB, 160 * MIB)
        await machine.serial.command("sh grep MemTotal /proc/meminfo")
        await machine.serial.expect("> ended")
        monkeypatch.setattr(resources, "memory", lambda: resources.Memory(8 << 30, 4 << 30))
        await until_memory(machine, 256 * MIB, 256 * MIB)
        await machine.supervisor.kill()
        assert await machine.code() == 0
    said = [line.partition(":")[0] for line in machine.messages()]
    assert [line for line in said if "memory" in line] == ["the host is in need of memory", "the host has memory to spare"]


async def test_a_usb_device_comes_to_the_guest_goes_and_comes_back(lab, tmp_path, monkeypatch):
    """No host of tests has USB devices to give away: QEMU's own tablet stands for one, plugged in by the same way."""
    monkeypatch.setattr(plug, "options", lambda wanted, number: {"driver": "usb-tablet", "id": wanted.id, "bus": "usb0.0"})
    bus = FakeBus(tmp_path)
    lab.create()
    async with lab.supervised() as machine:
        machine.supervisor.usb._root = tmp_path
        await machine.boot()
        bus.plug("1-1.4", "1050:0407", name="Key")
        await machine.supervisor.usb.attach("1050:0407")
        await until_given(machine, 2)
        bus.pull("1-1.4")
        await until_given(machine, 1)
        bus.plug("1-2", "1050:0407", name="Key")
        await until_given(machine, 2)
        await machine.supervisor.usb.detach("1.2")
        await until_given(machine, 1)
        await machine.supervisor.kill()
        assert await machine.code() == 0


async def until_given(machine, count: int) -> None:
    """Wait until QEMU has ``count`` tablets on its bus; one is the pointer that follows the viewer's."""
    for _ in range(100):
        shown = await machine.supervisor._instance.qmp.execute("human-monitor-command", {"command-line": "info usb"})
        if shown.count("QEMU USB Tablet") == count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(shown)


async def test_the_clock_of_a_guest_that_stood_still_is_set(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.supervisor.pause()
        await machine.until("paused")
        await asyncio.sleep(2.5)
        await machine.supervisor.resume()
        await until(lambda: any("after it stood still, and was set" in line for line in machine.messages()))
        facts = await machine.supervisor.guest_facts()
        await machine.supervisor.kill()
        assert await machine.code() == 0
    assert abs(facts["time_offset"]) < 1.5


@pytest.fixture(name="device")
def _device(tmp_path) -> Iterator[str]:
    """A block device with a system on it."""
    file = tmp_path / "disk.raw"
    shutil.copy(tiny_image(), file)
    try:
        path = run(["losetup", "--find", "--show", str(file)]).stdout.decode().strip()
    except QuarterdeckError as error:
        pytest.skip(f"this host gives no loop devices: {error.reason or error}")
    yield path
    run(["losetup", "--detach", path])


async def test_a_block_device_boots_and_is_nobody_elses_meanwhile(lab, device):
    lab.create(boot=None, firmware=Firmware.BIOS, disks=(DiskSpec(image=device, in_place=True, cache=Cache.NONE),))
    somebody = os.open(device, os.O_RDWR | os.O_EXCL)
    async with lab.supervised() as machine:
        assert await machine.code() == 3
        assert f"{device} is in use on this host" in machine.messages()
    os.close(somebody)
    async with lab.supervised() as machine:
        await machine.boot()
        with pytest.raises(OSError, match="busy"):
            os.open(device, os.O_RDWR | os.O_EXCL)
        await machine.supervisor.kill()
        assert await machine.code() == 0
    os.close(os.open(device, os.O_RDWR | os.O_EXCL))


async def test_a_device_that_looks_like_an_image_is_refused(lab, device):
    handle = os.open(device, os.O_RDWR)
    os.write(handle, b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(96))
    os.close(handle)
    lab.create(boot=None, disks=(DiskSpec(image=device, in_place=True),))
    async with lab.supervised() as machine:
        assert await machine.code() == 4
