"""The Storage tab: snapshots are made, gone back to and removed, disks grow; what cannot be done says why."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.browser.console import FAILURES
from tests.browser.desk import running_desk

from quarterdeck.machine.spec import DiskSpec

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

# Without I/O threads, since older QEMUs may crash when such disks are copied.
DISKS = tuple(DiskSpec(size=size, io_thread=False) for size in (None, 8 << 20, 8 << 20))
# A qemu-img whose work on snapshots waits while a file named 'slow' lies beside it.
SLOW_QEMU_IMG = """\
#!/bin/sh
while [ "$1" = snapshot ] && [ -e "{bin}/slow" ]; do sleep 0.1; done
PATH={path} exec qemu-img "$@"
"""


@pytest.fixture(scope="module")
def bin_folder(lab):
    """Put a slow qemu-img first, where the user that works on the disks can reach it."""
    folder, path = lab.store.root.parent / "bin", "/usr/bin:/bin"
    folder.mkdir()
    (folder / "qemu-img").write_text(SLOW_QEMU_IMG.format(bin=folder, path=path))
    folder.chmod(0o755)
    (folder / "qemu-img").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{path}")
        yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_desk(lab, bin_folder):
    async with running_desk(lab, "tiny", disks=DISKS) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def storage(console):
    """The owner's page, with the Storage tab open."""
    await console.tab("storage")
    await expect(console.get("disk")).to_have_count(3)
    return console


async def tell(page, command):
    """Type a command for the guest into the serial console, and come back."""
    await page.tab("serial")
    await expect(page.get("serial")).to_have_attribute("data-status", "connected")
    await page.get("serial").click()
    await page.page.keyboard.type(f"{command}\n")
    await page.tab("storage")


async def make(page, tag, *, memory=False):
    await page.get("snapshot-create").click()
    await page.get("snapshot-tag").fill(tag)
    if memory:
        await page.get("snapshot-memory").check()
    await page.page.keyboard.press("Enter")


def row(page, tag):
    return page.page.locator(f"[data-testid=snapshot][data-tag={tag}]")


def blocked(button):
    return expect(button).to_have_attribute("aria-disabled", "true")


async def test_running_guest_is_taken_back_to_a_snapshot_with_memory(storage, desk):
    await make(storage, "early", memory=True)
    await expect(row(storage, "early")).to_contain_text("With memory")
    await expect(row(storage, "early")).to_contain_text("disk0, disk1 and disk2")
    await tell(storage, "count")
    await desk.says("> counting")
    await tell(storage, "where")
    await desk.says("> at ")
    await row(storage, "early").get_by_test_id("snapshot-restore").click()
    dialog = storage.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(re.compile("written to disk0, disk1 and disk2 since .* is lost"))
    await storage.get("storage-confirm").click()
    await expect(storage.page.get_by_text("The guest goes on from ‘early’")).to_be_visible()
    await tell(storage, "where")
    await desk.says("> at \n")  # the guest of that time had not begun to count
    await row(storage, "early").get_by_test_id("snapshot-remove").click()
    await storage.page.keyboard.press("Escape")
    await expect(row(storage, "early")).to_be_visible()
    await row(storage, "early").get_by_test_id("snapshot-remove").click()
    await storage.get("storage-confirm").click()
    await expect(row(storage, "early")).to_have_count(0)
    assert (await desk.api("GET", "/snapshots"))["snapshots"] == []


async def test_disk_grows_under_the_running_guest_and_never_shrinks(storage, desk):
    disk = storage.page.locator("[data-testid=disk][data-disk=disk1]")
    await expect(disk.get_by_test_id("disk-size")).to_have_text("8 MiB")
    await disk.get_by_test_id("disk-grow").click()
    await storage.get("grow-size").fill("7")
    await expect(storage.page.get_by_role("dialog")).to_contain_text("A disk can only grow")
    await expect(storage.get("grow-submit")).to_be_disabled()
    await storage.get("grow-size").fill("16")
    await storage.get("grow-submit").click()
    await expect(disk.get_by_test_id("disk-size")).to_have_text("16 MiB")
    await tell(storage, "size")
    await desk.says("> vdb has 32768")


async def test_failure_says_what_and_why_until_it_is_put_away(storage, desk):
    storage.expected = FAILURES
    await storage.page.locator("[data-disk=disk2]").get_by_test_id("disk-grow").click()
    await storage.get("grow-unit").select_option("TiB")
    await storage.get("grow-size").fill("8000")
    await storage.get("grow-submit").click()
    error = storage.get("error")
    await expect(error).to_contain_text("L1 table")
    await error.get_by_role("button").click()
    await expect(error).to_have_count(0)
    assert [disk["size"] for disk in (await desk.api("GET", "/disks"))["disks"]][2] == 8 << 20


async def test_those_who_watch_see_snapshots_and_disks_and_why_they_can_do_nothing(storage, desk, open_page):
    await make(storage, "seen")
    watcher = await open_page(await desk.link(view_only=True))
    await watcher.tab("storage")
    await expect(row(watcher, "seen")).to_be_visible()
    await expect(watcher.get("storage-reason")).to_contain_text("for watching")
    for button in ("snapshot-create", "snapshot-restore", "snapshot-remove", "disk-grow"):
        await blocked(watcher.get(button).first)
    await watcher.get("snapshot-restore").focus()
    await expect(watcher.page.get_by_role("tooltip")).to_contain_text("for watching")
    await watcher.page.keyboard.press("Enter")
    await expect(watcher.page.get_by_role("dialog")).to_have_count(0)
    await expect(watcher.get("disks")).not_to_contain_text(".qcow2")
    await expect(storage.get("disks")).to_contain_text("disk0.qcow2")
    # The machine runs, and this snapshot has no memory.
    await blocked(row(storage, "seen").get_by_test_id("snapshot-restore"))
    await expect(storage.get("snapshots")).to_contain_text("without memory can be restored when the machine is off")


async def test_machine_that_is_off_has_snapshots_made_and_cancelled_and_gone_back_to(storage, desk, bin_folder, open_page):
    storage.expected = FAILURES
    await storage.power("stop")
    await storage.until_state("stopped")
    await _is_shown_everywhere_and_cancelled(storage, desk, bin_folder / "slow", open_page)
    await make(storage, "off")
    await expect(row(storage, "off")).to_contain_text("Machine off")
    await storage.get("snapshot-create").click()
    await expect(storage.get("snapshot-memory")).to_be_disabled()
    await storage.get("snapshot-tag").fill("off")
    await expect(storage.page.get_by_role("dialog")).to_contain_text("There is a snapshot ‘off’ already")
    await storage.page.keyboard.press("Escape")
    await row(storage, "off").get_by_test_id("snapshot-restore").click()
    await expect(storage.page.get_by_role("dialog")).to_contain_text("boots anew")
    await storage.get("storage-confirm").click()
    await expect(storage.page.get_by_text("The disks are those of ‘off’")).to_be_visible()


async def _is_shown_everywhere_and_cancelled(storage, desk, slow, open_page):
    watcher = await open_page(await desk.link(view_only=True))
    await watcher.tab("storage")
    slow.touch()
    await make(storage, "never")
    for page in (storage, watcher):
        await expect(page.get("storage-operation")).to_contain_text("Making the snapshot 'never'")
        await blocked(page.get("snapshot-create"))
    await expect(watcher.get("storage-cancel")).to_have_count(0)
    await storage.get("storage-cancel").click()
    await expect(storage.page.get_by_text("What had begun was undone")).to_be_visible()
    slow.unlink()
    for page in (storage, watcher):
        await expect(page.get("storage-operation")).to_have_count(0)
        await expect(row(page, "never")).to_have_count(0)
