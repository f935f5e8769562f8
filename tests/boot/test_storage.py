"""Snapshots and backups of a guest that writes all the while; its numbers show whether a copy is of one moment."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.boot.lifecycle_lab import lab, until

from quarterdeck.errors import HostError, QuarterdeckError, UsageError
from quarterdeck.machine.spec import DiskSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import image
from quarterdeck.runtime.storage.restore import restore

pytestmark = pytest.mark.boot
DISKS = tuple(DiskSpec(size=size) for size in (None, 8 << 20, 8 << 20))


@pytest.fixture(name="lab")
def _lab():
    with lab() as made:
        yield made


@contextmanager
def small_folder(path) -> Iterator[None]:
    """A folder with room for the heads of the copies, and not for what is in the disks."""
    path.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path], check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


async def where(machine) -> int:
    """Return the number that the guest has come to."""
    await machine.serial.command("where")
    await machine.serial.expect("> at ")
    await machine.serial.expect("\n")
    seen = machine.serial._seen[: machine.serial._from].decode()
    return int(re.findall(r"> at (\d+)", seen)[-1])


async def count(machine, least: int) -> int:
    """Wait until the guest has come to ``least``."""
    async with asyncio.timeout(60):
        while (now := await where(machine)) < least:
            pass
    return now


async def begin(machine) -> None:
    await machine.boot()
    await machine.serial.command("count")
    await machine.serial.expect("> counting")


def numbers(path, folder) -> list[int]:
    raw = folder / "numbers.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", path, raw], check=True)
    content = raw.read_bytes()
    return sorted(int(content[slot * 131072 : slot * 131072 + 512].decode().strip("\0 ") or 0) for slot in range(16))


def is_of_one_moment(first: list[int], second: list[int]) -> bool:
    """Whether the guest's rule holds: numbers without a gap on each disk, and the first disk at most one ahead."""
    steady = all(one[-1] < 16 or one == list(range(one[-1] - 15, one[-1] + 1)) for one in (first, second))
    return steady and first[-1] - second[-1] in (0, 1)


async def test_memory_goes_back_in_time_and_disks_with_it(lab):
    lab.create(disks=DISKS)
    async with lab.supervised() as machine:
        await begin(machine)
        storage = machine.supervisor.storage
        early = await count(machine, 3)
        plain = await storage.create_snapshot("plain")
        assert plain["consistency"] == "agent"
        await machine.serial.expect("> thawed")
        memory = await storage.create_snapshot("memory", memory=True)
        assert memory["memory"]
        late = await count(machine, early + 60)
        await storage.restore_snapshot("memory")
        assert await where(machine) < late
        await count(machine, early + 7)  # and it goes on
        with pytest.raises(UsageError) as refused:
            await storage.restore_snapshot("plain")
        assert refused.value.key == "snapshot-without-memory"
        assert await storage.grow(16 << 20, index=1) == {"disk": 1, "size": 16 << 20}
        await machine.serial.command("size")
        await machine.serial.expect(f"> vdb has {(16 << 20) // 512}")
        await storage.remove_snapshot("memory")
        await machine.supervisor.kill(stay=True)
        await machine.until("stopped")
        await storage.restore_snapshot("plain")
        assert [one["tag"] for one in storage.snapshots()] == ["plain"]
        await machine.supervisor.start()
        await machine.boot()


async def test_backups_of_a_guest_that_writes_are_each_of_one_moment(lab, tmp_path):
    layout = lab.create(disks=DISKS)
    folder = layout.root.parent.parent / "backups"
    async with lab.supervised() as machine:
        await begin(machine)
        made = []
        for _ in range(3):
            await count(machine, await where(machine) + 4)
            made.append(await machine.supervisor.storage.back_up(folder))
        clone = await machine.supervisor.storage.clone("copy", full=True)
        assert clone["name"] == "copy"
        await machine.supervisor.kill()
        await machine.code()
    assert [one["kind"] for one in made] == ["full", "incremental", "incremental"]
    assert {one["consistency"] for one in made} == {"agent"}
    assert made[1]["size"] < made[0]["size"] / 5
    lasts: list[int] = []
    for one in [*made, None]:
        name = "copy" if one is None else f"r{len(lasts)}"
        if one is not None:
            await restore(lab.store, folder, name=name, number=one["id"], report=lambda _: None)
        found = assets.pinned(lab.store.layout(name))
        assert found is not None
        first, second = (numbers(image.whole(part), tmp_path) for _, part in found.images)
        assert is_of_one_moment(first, second), (first, second)
        lasts.append(second[-1])
    assert lasts == sorted(set(lasts))


async def test_copies_that_fail_or_are_given_up_leave_the_guest_running(lab):
    """I/O threads, which the disks have by default, are where older QEMUs ended when a job failed while the guest was let go."""
    layout = lab.create(disks=DISKS)
    async with lab.supervised() as machine:
        await begin(machine)
        storage, folder = machine.supervisor.storage, layout.root.parent.parent / "backups"
        with small_folder(folder):
            for _ in range(3):
                with pytest.raises(HostError) as caught:
                    await storage.back_up(folder)
                assert caught.value.key == "disk-full"
                await count(machine, await where(machine) + 2)
        for seconds in (0.02, 0.05, 0.1, 0.2):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await storage.back_up(layout.root.parent.parent / "given-up")
            await count(machine, await where(machine) + 2)
        assert not layout.storage_journal.exists()
        await machine.supervisor.kill()
        await machine.code()


@pytest.mark.parametrize("victim", ["supervisor", "qemu"])
async def test_killed_in_the_middle_the_guest_or_its_disks_are_as_before(lab, victim):
    layout = lab.create(disks=DISKS)
    folder = layout.root.parent.parent / "backups"
    supervisor, client = lab.spawn()
    await lab.until_listed("tiny", "ready")
    for number, seconds in enumerate((0.02, 0.1)):
        asked = asyncio.create_task(asyncio.to_thread(_ask, client, number, folder))
        await asyncio.sleep(seconds)
        pid = lab.store.get("tiny").pid
        assert pid is not None
        if victim == "supervisor":
            supervisor.send(signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
        await asked
        await supervisor.wait()
        supervisor, client = lab.spawn()
        await lab.until_listed("tiny", "ready")
        await until(lambda: not layout.storage_journal.exists())
        assert (lab.store.get("tiny").pid == pid) == (victim == "supervisor")  # the guest ran on
        assert not list(folder.glob(".partial*"))
    await until(lambda: _backed_up(client, folder))
    client.request("POST", "/machine/kill")
    await supervisor.wait()


def _backed_up(client, folder) -> bool:
    """Whether a backup was made; a supervisor that has just come refuses until it has taken the guest over."""
    try:
        client.request("POST", "/backup", {"folder": str(folder)})
    except UsageError as error:
        if error.key != "wrong-state":
            raise
        return False
    return True


def _ask(client, number, folder) -> None:
    try:
        if number % 2:
            client.request("POST", "/backup", {"folder": str(folder)})
        else:
            client.request("POST", "/snapshots", {"tag": f"t{number}", "memory": number == 2})
    except QuarterdeckError:
        pass
