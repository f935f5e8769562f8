"""The page through the whole life of a machine: preparation, restarts, a lost supervisor, the end and a new start."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.browser.console import OUTAGE
from tests.browser.desk import eventually, running_desk
from tests.tiny_guest import READY

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

# A qemu-img that waits until the test lets it go on.
SLOW_QEMU_IMG = """\
#!/bin/sh
while [ "$1" = info -o "$1" = create ] && [ ! -e "{gates}/$1" ]; do sleep 0.1; done
PATH={path} exec qemu-img "$@"
"""


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make qemu-img wait before ``info`` and ``create`` until a file of that name is in this folder."""
    program = tmp_path / "bin" / "qemu-img"
    program.parent.mkdir()
    path = "/usr/bin:/bin"
    program.write_text(SLOW_QEMU_IMG.format(gates=tmp_path, path=path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{path}")
    return tmp_path


async def test_steps_are_shown_as_they_happen_and_give_way_to_the_screen(lab, gates, open_page):
    async with running_desk(lab, "slow") as desk:
        console = await open_page(await desk.link())
        running = console.get("progress").locator("[aria-current=step]")
        await console.until_state("preparing")
        await expect(running).to_contain_text("Get the image")
        await expect(running).to_contain_text("looking at /")
        await expect(console.get("progress").locator("li")).to_have_count(6)
        clock = running.locator(".qd-step__time")
        await expect(clock).not_to_be_empty()
        await expect(clock).not_to_have_text(await clock.inner_text())
        (gates / "info").touch()
        await expect(running).to_contain_text("Prepare the disks")
        await console.remember()
        (gates / "create").touch()
        await console.until_state("ready")
        await desk.says(READY)
        await console.until_shows_screen_of(desk)
        await expect(console.get("progress")).to_have_count(0)
        assert await console.remembers()
        await console.page.close()


async def test_power_cut_during_preparation_is_told_with_a_way_on(lab, gates, open_page):
    async with running_desk(lab, "early") as desk:
        console = await open_page(await desk.link())
        await console.until_state("preparing")
        await console.power("force")
        await console.get("power-confirm").click()
        await console.until_state("stopped")
        (gates / "info").touch()
        (gates / "create").touch()
        await console.get("start-again").click()
        await console.until_connected()
        await console.page.close()


async def test_page_follows_a_restart(console, desk):
    await console.until_shows_screen_of(desk)
    await console.remember()
    before = await desk.pid()
    await console.power("restart")
    await desk.ready(not_pid=before)
    await console.until_state("ready")
    await console.until_shows_screen_of(desk)
    assert await console.remembers()


async def test_reset_is_asked_for_twice_and_boots_the_guest_anew(console, desk):
    before, boots = await desk.pid(), (await desk.said()).count(READY)
    await console.power("reset")
    await console.get("power-confirm").click()
    await desk.says(READY, boots + 1)
    await console.until_shows_screen_of(desk)
    assert await desk.pid() == before


async def test_page_recovers_when_another_supervisor_takes_over(console, desk):
    console.expected = OUTAGE
    before = await desk.pid()
    await console.until_shows_screen_of(desk)
    await console.remember()
    await desk.kill_supervisor()
    await console.get("connection-lost").wait_for()
    await expect(console.get("connection-lost")).to_contain_text("qd start tiny")
    await asyncio.to_thread(desk.supervise)
    await expect(console.get("connection")).to_have_attribute("data-connection", "open")
    await console.until_state("ready")
    await console.until_shows_screen_of(desk)
    await console.focus_screen()
    await console.type("still connected\n")
    assert await desk.heard("connected") == "still connected"
    assert await console.remembers()
    assert await desk.pid() == before


async def test_machine_stopped_from_the_page_can_be_started_there(console, desk):
    await console.until_connected()
    before = await desk.pid()
    await console.power("stop")
    await console.until_state("stopped")
    assert desk.lab.store.get(desk.name).state == "stopped"
    assert not desk.lab.store.get(desk.name).qemu_alive
    await expect(console.get("progress")).to_contain_text("tiny is off")
    await console.get("start-again").click()
    await desk.ready(not_pid=before)
    await console.until_shows_screen_of(desk)


async def test_pause_and_resume_are_seen(console, desk):
    await console.until_connected()
    await console.power("pause")
    await console.until_state("paused")
    await expect(console.page.get_by_text("Paused").last).to_be_visible()
    await _until_state_of(desk, "paused")
    await console.power("resume")
    await console.until_state("ready")
    await _until_state_of(desk, "ready")


async def _until_state_of(desk, state):
    async def came():
        return (await desk.api("GET", "/machine"))["state"] == state

    await eventually(came)
