"""The other parts of the page: serial console, charts, events, details, logs; on phones, in light and dark."""

import re

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TABS = {"screen": "screen", "serial": "serial", "storage": "storage", "details": "details", "events": "events", "logs": "log"}


async def test_the_guest_answers_on_its_serial_console(console):
    await console.tab("serial")
    rows = console.get("serial").locator(".xterm-rows")
    await expect(rows).to_contain_text("tiny guest is ready")
    await console.get("serial").click()
    await console.type("echo Hello, Serial: {1+1}!\n")
    await expect(rows).to_contain_text("> Hello, Serial: {1+1}!")


async def test_charts_are_drawn_while_the_machine_runs(console):
    charts = console.get("charts")
    memory = charts.locator("figure", has_text="Memory")
    await expect(memory.locator(".qd-chart__values")).to_contain_text("MiB")
    await expect(memory.locator(".qd-chart__line")).to_have_attribute("d", re.compile("M.*L"))


async def test_events_appear_as_they_happen(console):
    await console.tab("events")
    events = console.get("events")
    await expect(events).to_contain_text("Boot the guest")
    before = await events.locator("li").count()
    await console.power("pause")
    await expect(events.locator("li", has_text="Paused")).to_be_visible()
    await console.power("resume")
    await console.until_state("ready")
    assert await events.locator("li").count() > before


async def test_details_and_logs_tell_of_this_machine(console):
    await console.tab("details")
    await expect(console.get("details")).to_contain_text("Tiny guest")
    await console.tab("logs")
    await console.get("log-serial").click()
    await expect(console.get("log")).to_contain_text("tiny guest is ready")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568)])
async def test_a_phone_shows_every_tab_without_scrolling_sideways(desk, open_page, width, height):
    console = await open_page(await desk.link(), viewport={"width": width, "height": height}, is_mobile=True, has_touch=True)
    await console.until_connected()
    for tab, content in TABS.items():
        await console.tab(tab)
        await expect(console.get(content)).to_be_visible()
        assert (tab, await console.overflow()) == (tab, 0)
    await expect(console.get("power-menu")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_colours_follow_the_system_and_the_readers_choice(desk, open_page, scheme):
    console = await open_page(await desk.link(), color_scheme=scheme)
    await console.until_connected()
    assert await _brightness(console) == scheme
    await console.get("theme").click()
    other = "dark" if scheme == "light" else "light"
    assert await _brightness(console) == other
    await console.page.reload()
    await console.until_connected()
    assert await _brightness(console) == other


async def _brightness(console):
    """Return whether the header is light or dark, by what is drawn."""
    picture = await console.header()
    return "light" if sum(picture.resize((1, 1)).getpixel((0, 0))) > 3 * 128 else "dark"
