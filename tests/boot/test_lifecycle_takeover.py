"""Supervisors in processes of their own that are killed, and others that take over."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from tests.boot.lifecycle_lab import Lab, lab, until

from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.runtime.state import State

pytestmark = pytest.mark.boot


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


async def _killed(handle) -> None:
    handle.send(signal.SIGKILL)
    await handle.wait()


async def test_guest_outlives_its_supervisor_and_is_taken_over(lab):
    lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "ready")
    await _killed(first)
    alone = lab.store.get("tiny")
    second, client = lab.spawn()
    await lab.until_listed("tiny", "ready")
    seen = await asyncio.to_thread(client.request, "GET", "/machine")
    await asyncio.to_thread(client.request, "POST", "/machine/stop", {"timeout": 30})
    await second.wait()
    assert (alone.state, alone.supervised, alone.qemu_alive) == (State.READY, False, True)
    assert seen["pid"] == alone.pid
    assert second.returncode == 0
    assert lab.store.get("tiny").state is State.STOPPED


async def test_serial_console_works_after_a_takeover(lab):
    lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "ready")
    await _killed(first)
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.serial.command("echo still here")
        await machine.serial.expect("> still here")
        await machine.serial.command("poweroff")
        assert await machine.code() == 0


async def test_takeover_of_a_paused_guest(lab):
    lab.create()
    first, client = lab.spawn()
    await lab.until_listed("tiny", "ready")
    await asyncio.to_thread(client.request, "POST", "/machine/pause")
    await lab.until_listed("tiny", "paused")
    await _killed(first)
    async with lab.supervised() as machine:
        await machine.until("paused")
        await machine.supervisor.resume()
        await machine.until("ready")
        await machine.supervisor.stop()
        assert await machine.code() == 0


async def test_takeover_of_a_guest_that_panicked_meanwhile(lab):
    layout = lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "ready")
    await _killed(first)
    _, writer = await asyncio.open_unix_connection(str(layout.socket("serial")))
    writer.write(b"panic\n")
    await writer.drain()
    await until(lambda: b"Kernel panic" in layout.serial_log.read_bytes())
    writer.close()
    await writer.wait_closed()
    async with lab.supervised() as machine:
        await machine.until("panicked")
        await machine.supervisor.stop()
        assert await machine.code() == 0


async def test_guest_that_ended_meanwhile_is_a_crash_since_nobody_saw_how(lab):
    layout = lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "ready")
    await _killed(first)
    _, writer = await asyncio.open_unix_connection(str(layout.socket("serial")))
    writer.write(b"poweroff\n")
    await writer.drain()
    await lab.until_listed("tiny", "crashed")
    writer.close()
    await writer.wait_closed()
    async with lab.supervised() as machine:
        await machine.until("running")
        await machine.supervisor.kill()
        assert await machine.code() == 0


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.08, 0.12, 0.2, 0.4])
async def test_supervisor_killed_while_starting_does_not_stand_in_the_way(lab, delay):
    lab.create()
    first, _ = lab.spawn()
    await asyncio.sleep(delay)
    await _killed(first)
    second, client = lab.spawn()
    await lab.until_listed("tiny", "running", "ready")
    await asyncio.to_thread(client.request, "POST", "/machine/kill")
    await second.wait()
    assert second.returncode == 0
    assert lab.processes() == []


async def test_both_killed_is_a_crash_and_starts_again(lab):
    lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "running", "ready")
    pid = lab.store.get("tiny").pid
    await _killed(first)
    os.kill(pid, signal.SIGKILL)
    await lab.until_listed("tiny", "crashed")
    assert lab.store.get("tiny").reason == "QEMU is gone"
    async with lab.supervised() as machine:
        await machine.until("running")
        await machine.supervisor.kill()
        assert await machine.code() == 0


async def test_two_supervisors_cannot_have_one_machine(lab):
    lab.create()
    first, client = lab.spawn()
    with pytest.raises(UsageError) as caught:
        lab.spawn()
    with pytest.raises(UsageError):
        lab.store.remove("tiny")
    await lab.until_listed("tiny", "running", "ready")
    await asyncio.to_thread(client.request, "POST", "/machine/kill")
    await first.wait()
    assert caught.value.key == "machine-busy"


async def test_unsupervised_machine_cannot_be_removed(lab):
    lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "running")
    await _killed(first)
    with pytest.raises(UsageError) as caught:
        lab.store.remove("tiny")
    assert caught.value.key == "machine-busy"
    async with lab.supervised() as machine:
        await machine.until("running")
        await machine.supervisor.kill()


async def test_terminated_supervisor_shuts_the_guest_down(lab):
    lab.create()
    first, _ = lab.spawn()
    await lab.until_listed("tiny", "ready")
    first.send(signal.SIGTERM)
    await first.wait()
    assert first.returncode == 0
    assert lab.store.get("tiny").state is State.STOPPED


async def test_events_of_a_whole_life_reach_the_client(lab):
    lab.create()
    first, client = lab.spawn()

    def watch() -> list[str]:
        seen = []
        for record in client.events():
            if record.type == "state":
                seen.append(record.data["state"])
                if record.data["state"] == "ready":
                    client.request("POST", "/machine/stop", {"timeout": 30})
        return seen

    seen = await asyncio.to_thread(watch)
    await first.wait()
    assert seen == ["preparing", "starting", "running", "ready", "stopping", "stopped"]


async def test_error_of_the_supervisor_keeps_its_class(lab):
    lab.create()
    first, client = lab.spawn()
    await lab.until_listed("tiny", "running", "ready")
    with pytest.raises(QuarterdeckError) as caught:
        await asyncio.to_thread(client.request, "POST", "/machine/resume")
    await asyncio.to_thread(client.request, "POST", "/machine/kill")
    await first.wait()
    assert (type(caught.value), caught.value.key) == (UsageError, "wrong-state")
