"""What is on the page is what the guest draws, and what is typed there arrives in the guest."""

import asyncio
import io

import pytest
from PIL import Image
from playwright.async_api import expect
from tests.browser.console import is_same_picture
from tests.tiny_guest import READY

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ALL_SIGNS = "The 5 Quick Foxes: `-=[]\\;',./ ~!@#$%^&*()_+{}|:\"<>? end"


async def test_the_guests_screen_appears_pixel_by_pixel(console, desk):
    seen = await console.until_shows_screen_of(desk)
    colours = seen.getcolors()
    assert seen.size == (720, 400)
    assert len(colours) > 1
    assert min(count for count, _ in colours) > 300  # letters, not a lone cursor


async def test_the_screen_follows_what_the_guest_draws(console, desk):
    before = await console.until_shows_screen_of(desk)
    await console.focus_screen()
    await console.type("some words that were not there before")
    await console.type("\n")
    await desk.heard("not there before")
    after = await console.until_shows_screen_of(desk)
    assert not is_same_picture(before, after)


async def test_fitted_the_whole_screen_is_inside_the_window(console):
    await console.until_connected()
    await console.get("scale-fit").click()
    box = await console.canvas.bounding_box()
    frame = await console.get("screen").bounding_box()
    assert box["x"] >= frame["x"] - 1
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    assert box["width"] / box["height"] == pytest.approx(720 / 400, rel=0.02)


async def test_key_presses_arrive(console, desk):
    await console.focus_screen()
    await console.type(ALL_SIGNS + "\n")
    assert await desk.heard("<>? end") == ALL_SIGNS


async def test_pasted_text_arrives_key_by_key(console, desk):
    await console.until_connected()
    await console.get("paste-text").click()
    await console.get("paste-input").fill(f"Pasted: {ALL_SIGNS}.\nAnd a second LINE\n")
    await console.get("paste-type").click()
    assert await desk.heard("<>? end.") == f"Pasted: {ALL_SIGNS}."
    assert await desk.heard("second LINE") == "And a second LINE"
    await console.get("paste-input").wait_for(state="detached")


async def test_signs_that_no_key_types_are_named_before_they_get_lost(console):
    await console.until_connected()
    await console.get("paste-text").click()
    await console.get("paste-input").fill("plain")
    warning = console.page.get_by_text("Not on a US keyboard")
    assert not await warning.is_visible()
    await console.get("paste-input").fill("Grüße")
    await warning.wait_for()
    assert "ü ß" in await warning.inner_text()


async def test_the_keyboard_has_the_screen_after_pasting(console, desk):
    await console.until_connected()
    await console.get("paste-text").click()
    await console.get("paste-input").fill("first half,")
    await console.get("paste-type").click()
    await console.get("paste-input").wait_for(state="detached")
    await expect(console.canvas).to_be_focused()
    await console.type(" second half\n")
    assert await desk.heard("second half") == "first half, second half"


async def test_ctrl_alt_del_restarts_the_guest(console, desk):
    boots = (await desk.said()).count(READY)
    await console.until_connected()
    await console.get("send-keys").click()
    await console.get("send-ctrl-alt-del").click()
    await desk.says(READY, boots + 1)


async def test_screenshot_is_saved_as_the_picture_on_the_screen(console, desk):
    await console.until_connected()
    async with console.page.expect_download() as waiting:
        await console.get("screenshot").click()
    download = await waiting.value
    saved = await asyncio.to_thread((await download.path()).read_bytes)
    assert download.suggested_filename.startswith("tiny")
    assert download.suggested_filename.endswith(".png")
    assert saved.startswith(b"\x89PNG\r\n\x1a\n")
    assert is_same_picture(Image.open(io.BytesIO(saved)).convert("RGB"), await desk.screenshot())
