"""A real guest through its whole life, supervised in this process."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from tests.boot.lifecycle_lab import Lab, lab

from quarterdeck.core.process import run
from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import DiskSpec
from quarterdeck.runtime.state import State

pytestmark = pytest.mark.boot


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


async def test_guest_boots_answers_and_is_stopped_through_its_agent(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        shown = machine.supervisor.describe(private=True)
        facts = await machine.supervisor.guest_facts()
        picture = await machine.supervisor.screenshot()
        await machine.supervisor.stop()
        assert await machine.code() == 0
    assert (shown["state"], shown["agent"], shown["serial"]) == ("ready", True, True)
    assert [step["step"] for step in shown["steps"]] == ["host", "image", "disk", "qemu", "guest"]
    assert facts["hostname"] == "tiny"
    assert picture.startswith(b"\x89PNG")
    assert "the guest agent shuts the guest down" in machine.messages()
    assert lab.store.get("tiny").state is State.STOPPED
    assert lab.sockets() == []


async def test_guest_that_powers_itself_off_ends_with_0(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.serial.command("poweroff")
        assert await machine.code() == 0
    assert lab.store.get("tiny").reason == "the guest powered itself off"


async def test_guest_without_agent_obeys_the_power_button(lab):
    lab.create(agent=False)
    async with lab.supervised() as machine:
        await machine.serial.expect("ready")
        await machine.supervisor.stop()
        await machine.serial.expect("power button")
        assert await machine.code() == 0
    assert machine.supervisor.state is State.STOPPED


async def test_guest_that_ignores_everything_is_quit_after_the_timeout(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.serial.command("ignore-power")
        await machine.serial.expect("ignoring")
        await machine.supervisor.stop(timeout=4)
        await machine.serial.expect("agent shutdown")
        await machine.serial.expect("power button")
        assert await machine.code() == 0
    assert "the guest did not end within 4 s; QEMU is told to quit" in machine.messages()


async def test_second_stop_replaces_the_first(lab):
    lab.create(agent=False)
    async with lab.supervised() as machine:
        await machine.serial.expect("ready")
        await machine.serial.command("ignore-power")
        await machine.serial.expect("ignoring")
        await machine.supervisor.stop()
        await machine.serial.expect("power button")
        await machine.supervisor.kill()
        assert await machine.code() == 0


async def test_pause_resume_and_reset(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.supervisor.pause()
        await machine.until("paused")
        with pytest.raises(UsageError) as caught:
            await machine.supervisor.pause()
        await machine.supervisor.resume()
        await machine.until("ready")
        await machine.supervisor.reset()
        await machine.boot()
        await machine.supervisor.kill()
    assert caught.value.key == "wrong-state"


async def test_paused_guest_can_be_stopped(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.supervisor.pause()
        await machine.until("paused")
        await machine.supervisor.stop()
        assert await machine.code() == 0


async def test_panicked_guest_is_kept_and_can_be_reset(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.serial.command("panic")
        await machine.until("panicked")
        assert machine.supervisor.describe(private=False)["pid"] is not None
        await machine.supervisor.reset()
        await machine.boot()
        await machine.serial.command("panic")
        await machine.until("panicked")
        await machine.supervisor.stop()
        assert await machine.code() == 0


async def test_killed_qemu_is_a_crash_that_names_the_signal(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.until("running")
        os.kill(machine.supervisor.describe(private=False)["pid"], signal.SIGKILL)
        assert await machine.code() == 5
    record = lab.store.get("tiny")
    assert (record.state, record.reason) == (State.CRASHED, "QEMU was killed by SIGKILL")
    assert "qemu.log" in machine.supervisor.describe(private=False)["error"]["hint"]


async def test_qemu_that_refuses_its_arguments_is_a_crash_with_its_words(lab):
    lab.create(qemu_args=("-device", "no-such-device"))
    async with lab.supervised() as machine:
        assert await machine.code() == 5
    error = machine.supervisor.describe(private=False)["error"]
    assert "no-such-device" in error["reason"]
    assert lab.sockets() == []


async def test_missing_image_ends_with_a_media_or_usage_code(lab, tmp_path):
    lab.create(boot=str(tmp_path / "none.qcow2"))
    async with lab.supervised() as machine:
        assert await machine.code() in (2, 4)
    assert lab.store.get("tiny").state is State.CRASHED


async def test_restart_boots_again_and_staying_machine_can_be_started(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.boot()
        await machine.supervisor.restart()
        await machine.until("preparing")
        await machine.boot()
        await machine.supervisor.stop(stay=True)
        await machine.until("stopped")
        assert not machine.task.done()
        await machine.supervisor.start()
        await machine.until("ready")
        await machine.supervisor.stop()
        assert await machine.code() == 0


async def test_full_host_disk_pauses_the_guest_until_space_is_freed(lab):
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    layout = lab.create(disks=(DiskSpec(), DiskSpec(size=1 << 30)))
    layout.vm.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=80m", "qd-test", layout.vm])
    try:
        async with lab.supervised() as machine:
            await machine.boot()
            await machine.serial.command("fill 150")
            await machine.until("io-error")
            assert "the host's disk is full" in lab.store.get("tiny").reason
            run(["mount", "-o", "remount,size=400m", layout.vm])
            await machine.supervisor.resume()
            await machine.serial.expect("filled 150")
            await machine.supervisor.kill()
            assert await machine.code() == 0
    finally:
        run(["umount", layout.vm])


@pytest.mark.parametrize("moment", ["preparing", "starting", "running", "ready"])
async def test_cancelled_supervisor_leaves_nothing(lab, moment):
    lab.create()
    async with lab.supervised() as machine:
        await machine.until(moment, *(["starting", "running"] if moment == "starting" else []))
        machine.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await machine.task
        assert lab.processes() == []
        assert lab.sockets() == []
    async with lab.supervised() as machine:
        await machine.until("running")
        await machine.supervisor.kill()
        assert await machine.code() == 0


async def test_stop_while_preparing_ends_at_once(lab):
    lab.create()
    async with lab.supervised() as machine:
        await machine.until("preparing")
        await machine.supervisor.stop()
        assert await machine.code() == 0
    assert lab.store.get("tiny").state is State.STOPPED


@pytest.mark.timeout(300)
async def test_fifty_cycles_leak_no_process_socket_descriptor_or_lock(lab):
    lab.create()
    handles: list[int] = []
    for _ in range(50):
        async with lab.supervised() as machine:
            await machine.until("running")
            await machine.supervisor.kill()
            assert await machine.code() == 0
        assert lab.processes() == []
        assert lab.sockets() == []
        handles.append(len(os.listdir("/proc/self/fd")))
    assert handles[-1] <= handles[1]
    lab.store.remove("tiny")
    assert lab.store.list() == []
