"""One browser and one machine for each file of tests; each test gets a tab of its own that must end without complaints."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from tests.boot.lifecycle_lab import PATIENCE, Lab, lab
from tests.browser.console import Console
from tests.browser.desk import Desk, running_desk

from quarterdeck.console.app import STATIC

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

OpenPage = Callable[..., Awaitable[Console]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    for needed, what in ((STATIC / "index.html", "the front end is not built"), (CHROMIUM, "Chromium is not installed")):
        if not needed.is_file():
            pytest.fail(f"{what}: run 'make setup'", pytrace=False)
    expect.set_options(timeout=PATIENCE * 1000)
    # Chromium's sandbox refuses to start as root.
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture(scope="module", name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_desk(lab: Lab) -> AsyncIterator[Desk]:
    async with running_desk(lab, "tiny") as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def desk(shared_desk: Desk) -> Desk:
    await shared_desk.mend()
    return shared_desk


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(chromium: Browser) -> AsyncIterator[OpenPage]:
    """Open a URL as a browser that was never here before; options are those of a browser context."""
    async with AsyncExitStack() as stack:
        opened: list[Console] = []

        async def open_url(url: str, **options: Any) -> Console:
            context = await chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE * 1000)
            console = Console(await context.new_page())
            opened.append(console)
            await console.open(url)
            return console

        yield open_url
        assert [console.complaints() for console in opened if console.complaints()] == []


@pytest_asyncio.fixture(loop_scope="module")
async def console(desk: Desk, open_page: OpenPage) -> Console:
    """The owner's page of a machine that is ready."""
    opened = await open_page(await desk.link())
    await opened.until_state("ready")
    return opened
