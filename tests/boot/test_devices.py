"""Devices that change while a real guest runs: its memory, its USB devices, its clock."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.boot.lifecycle_lab import Lab, lab

from quarterdeck.host import resources
from quarterdeck.machine.spec import BallooningSpec
from quarterdeck.runtime.balloon.watch import actual_size

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
