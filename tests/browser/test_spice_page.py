"""A machine with SPICE: the page shows its screen all the same, and gives out files for remote-viewer."""

import socket
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.boot.spice_client import OK, Vv, log_in
from tests.browser.console import OUTAGE
from tests.browser.desk import running_desk

from quarterdeck.machine.spec import DisplayKind, DisplaySpec

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_the_page_shows_the_screen_and_its_file_lets_a_spice_client_in(lab, open_page, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with running_desk(lab, "spicy", display=DisplaySpec(kind=DisplayKind.SPICE, spice_port=port)) as desk:
        await desk.ready()
        console = await open_page(await desk.link())
        await expect(console.get("screen")).to_have_attribute("data-status", "connected")
        async with console.page.expect_download() as saved:
            await console.get("spice-file").click()
        download = await saved.value
        assert download.suggested_filename == "spicy.vv"
        await download.save_as(tmp_path / "spicy.vv")
        vv = Vv.parse((tmp_path / "spicy.vv").read_text())
        assert (vv.fields["host"], vv.fields["port"]) == ("127.0.0.1", str(port))
        assert await log_in(vv) == OK
        watcher = await open_page(await desk.link(view_only=True))
        await expect(watcher.get("screen")).to_have_attribute("data-status", "connected")
        await expect(watcher.get("spice-file")).to_have_count(0)
        console.expected = watcher.expected = OUTAGE  # the machine ends before its pages
