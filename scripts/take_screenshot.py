#!/usr/bin/env python3
"""Take the picture of the web console that the documents show: docs/images/console.png.

Run it as ``.venv/bin/python scripts/take_screenshot.py``. It boots Debian in a home folder of its own (the images are the user's),
logs in on the guest's screen through the page, and shows something of the system. Emulated, it takes some minutes.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page, sync_playwright

from quarterdeck.core import paths
from quarterdeck.core.process import run
from quarterdeck.runtime.client import SupervisorClient

TARGET = Path(__file__).parents[1] / "docs/images/console.png"
QD = Path(sys.executable).with_name("qd")
WIDTH, HEIGHT = 1440, 900
NAME = "debian"
COMMANDS = "clear; head -n 4 /etc/os-release; echo; uname -a; echo; lsblk; echo; free -h; echo; systemctl status --no-pager | head -n 28"
LARGEST = 300_000
PATIENCE = 900.0
CALM = 8.0
"""Seconds without a change after which a screen is taken for finished."""
CURSOR = 32
"""Pixels in each direction that a blinking cursor may change."""


@contextmanager
def booted() -> Iterator[SupervisorClient]:
    """Run Debian in a home of its own; its images are the user's."""
    images = paths.images()
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="qd-") as home:  # sockets need short paths
        os.chmod(home, 0o711)
        Path(home, "images").symlink_to(images)
        environment = {"QUARTERDECK_HOME": home}
        try:
            run([QD, "run", "debian", "--name", NAME, "--viewer", "0", "--detach"], env=environment, timeout=PATIENCE)
            yield SupervisorClient(Path(home, "machines", NAME, "api.sock"))
        finally:
            run([QD, "rm", "--force", "--yes", NAME], env=environment, check=False)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until ``condition`` holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"take_screenshot.py: {what} did not come")
        time.sleep(0.5)


def until_calm(client: SupervisorClient, *, after: Image.Image | None = None) -> Image.Image:
    """Wait until the guest's screen differs from ``after`` and has not changed for a while; return it."""
    seen, since = screen(client), time.monotonic()

    def calm() -> bool:
        nonlocal seen, since
        now = screen(client)
        if changed(seen, now):
            seen, since = now, time.monotonic()
        return time.monotonic() - since > CALM and (after is None or changed(after, seen))

    until(calm, "a calm screen")
    return seen


def screen(client: SupervisorClient) -> Image.Image:
    """Return the guest's screen."""
    return Image.open(io.BytesIO(client.fetch("GET", "/screenshot"))).convert("RGB")


def changed(before: Image.Image, after: Image.Image) -> bool:
    """Whether more than a cursor changed."""
    if before.size != after.size:
        return True
    box = ImageChops.difference(before, after).getbbox()
    return box is not None and max(box[2] - box[0], box[3] - box[1]) > CURSOR


def log_in(page: Page, client: SupervisorClient) -> None:
    """Type the login where the guest asks for it, by the page's own menu."""
    until(lambda: b"login:" in client.fetch("GET", "/logs/serial?bytes=65536"), "the login prompt")
    shown = until_calm(client)
    for item in ("type-user", "type-password"):
        page.get_by_test_id("type-login").click()
        page.get_by_test_id(item).click()
        shown = until_calm(client, after=shown)


def paste(page: Page, text: str) -> None:
    """Have the page type a text into the guest."""
    page.get_by_test_id("paste-text").click()
    page.get_by_test_id("paste-input").fill(text)
    page.get_by_test_id("paste-type").click()
    page.get_by_test_id("paste-input").wait_for(state="detached")


def picture(client: SupervisorClient) -> bytes:
    """Return the page, with the guest logged in, as PNG."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--disable-gpu", *sandbox])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(client.request("POST", "/links", {"view_only": False})["url"])
        page.locator("[data-testid=state][data-state=ready]").wait_for(timeout=PATIENCE * 1000)
        log_in(page, client)
        before = screen(client)
        paste(page, f"{COMMANDS}\n")
        until_calm(client, after=before)
        page.mouse.move(WIDTH - 1, HEIGHT - 1)
        content = page.screenshot()
        browser.close()
    return content


def save(content: bytes) -> None:
    """Write the picture with a palette, which halves it and changes nothing that one sees."""
    image = Image.open(io.BytesIO(content)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    image.save(TARGET, optimize=True)
    size = TARGET.stat().st_size
    sys.stderr.write(f"{TARGET}: {size} bytes\n")
    if size > LARGEST:
        sys.exit(f"take_screenshot.py: the picture is larger than {LARGEST} bytes")


if __name__ == "__main__":
    with booted() as supervisor:
        taken = picture(supervisor)
    save(taken)
