"""Who gets in, and what those who may only watch can do."""

import asyncio
import struct

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect
from tests.browser.console import REFUSALS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ENTER = 0xFF0D
FORBIDDEN = {"/machine/pause": "{}", "/machine/kill": "{}", "/keys": '{"keys": ["a"]}', "/links": '{"view_only": false}'}
POST = """async ([path, body]) => {
    const answer = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body});
    return answer.status;
}"""


@pytest.fixture
def visit(chromium):
    """Load a URL as a stranger; return the answer and the words on the page."""

    async def load(url):
        context = await chromium.new_context()
        try:
            page = await context.new_page()
            answer = await page.goto(url)
            return answer.status, await page.inner_text("body")
        finally:
            await context.close()

    return load


async def test_without_a_link_the_page_tells_how_to_get_one(desk, visit):
    status, words = await visit(await desk.address())
    assert status == 401
    assert "qd open tiny" in words


async def test_wrong_link_is_refused(desk, visit):
    status, words = await visit(await desk.address() + "login?token=wrong")
    assert status == 403
    assert "qd open tiny" in words


async def test_link_works_once(desk, visit, open_page):
    link = await desk.link()
    console = await open_page(link)
    await console.until_state("ready")
    status, words = await visit(link)
    assert status == 403
    assert "works once" in words
    assert "qd open tiny" in words


async def test_a_session_lasts_over_a_reload_and_the_address_holds_no_secret(console):
    assert "token" not in console.page.url
    await console.page.reload()
    await console.until_state("ready")
    await console.until_connected()


@pytest.mark.parametrize("attributes", ["", 'target="_blank"', 'rel="noreferrer"'])
async def test_link_on_a_page_of_another_site_logs_in(desk, open_page, attributes):
    link = await desk.link()

    async def mail(request: web.Request) -> web.Response:
        del request
        return web.Response(text=f'<link rel="icon" href="data:,"><a href="{link}" {attributes}>open</a>', content_type="text/html")

    app = web.Application()
    app.router.add_get("/", mail)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        # To browsers another site than 127.0.0.1.
        there = await open_page(f"http://localhost:{runner.addresses[0][1]}/")
        page = there.page
        if "_blank" in attributes:
            async with page.expect_popup() as opening:
                await page.get_by_text("open").click()
            page = await opening.value
        else:
            await page.get_by_text("open").click()
        await page.locator("[data-testid=state][data-state=ready]").wait_for()
    finally:
        await runner.cleanup()


async def test_console_cannot_be_framed(desk, chromium):
    context = await chromium.new_context()
    page = await context.new_page()
    await page.set_content(f'<iframe src="{await desk.address()}"></iframe>')
    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
    await context.close()


@pytest_asyncio.fixture(name="watcher", loop_scope="module")
async def _watcher(console, open_page):
    """The page behind the link that the owner's page makes to be shared."""
    await console.until_connected()
    await console.get("view-only-link").click()
    await console.get("view-only-url").wait_for()
    link = (await console.get("view-only-url").inner_text()).strip()
    await console.page.keyboard.press("Escape")
    watcher = await open_page(link)
    await watcher.until_state("ready")
    return watcher


async def test_watchers_see_the_screen_but_cannot_touch_it(console, watcher, desk):
    await watcher.until_shows_screen_of(desk)
    await expect(watcher.get("view-only")).to_be_visible()
    for owned in ("power-menu", "paste-text", "send-keys", "view-only-link"):
        await expect(watcher.get(owned)).to_have_count(0)
    await watcher.focus_screen()
    await watcher.type("forbidden\n")
    await console.focus_screen()
    await console.type("only the owner\n")
    assert await desk.heard("the owner") == "only the owner"
    assert "forbidden" not in await desk.said()


async def test_watchers_see_the_serial_console_but_cannot_type(console, watcher, desk):
    for page in (watcher, console):
        await page.tab("serial")
        await expect(page.get("serial")).to_have_attribute("data-status", "connected")
        await page.get("serial").click()
    await expect(watcher.page.get_by_text("You can watch, but not type")).to_be_visible()
    await watcher.type("echo forbidden\n")
    await console.type("echo allowed\n")
    await desk.says("> allowed")
    await expect(watcher.get("serial").locator(".xterm-rows")).to_contain_text("> allowed")
    assert "forbidden" not in await desk.said()


async def test_the_api_refuses_what_watchers_must_not_do(watcher):
    watcher.expected = REFUSALS
    for path, body in FORBIDDEN.items():
        assert await watcher.page.evaluate(POST, [f"/api/v1{path}", body]) == 403
    assert await watcher.page.evaluate("async () => (await fetch('/api/v1/logs/supervisor')).status") == 403
    assert await watcher.page.evaluate("async () => (await (await fetch('/api/v1/machine')).json()).login") is None


async def test_raw_key_events_of_a_view_only_socket_never_arrive(desk):
    base = (await desk.address()).rstrip("/")
    for view_only in (True, False):
        # Cookies for IP addresses are dropped by default.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(await desk.link(view_only=view_only)) as answer:
                assert answer.status == 200
            async with session.ws_connect(f"{base}/api/v1/vnc", headers={"Origin": base}) as socket:
                await _press_raw(socket, "v" if view_only else "o")
    assert await desk.heard("o") == "o"
    assert "> keyboard: v" not in await desk.said()


async def _press_raw(socket: aiohttp.ClientWebSocketResponse, letter: str) -> None:
    """Speak RFB (RFC 6143): greet without a password, press a letter and Enter, and wait until the server saw both."""
    stream = _Stream(socket)
    await socket.send_bytes(await stream.read(12))
    count = (await stream.read(1))[0]
    assert 1 in await stream.read(count)
    await socket.send_bytes(b"\x01")
    assert await stream.read(4) == bytes(4)
    await socket.send_bytes(b"\x01")
    head = await stream.read(24)
    await stream.read(int.from_bytes(head[20:]))
    for key in (ord(letter), ENTER):
        for down in (1, 0):
            await socket.send_bytes(struct.pack(">BBHI", 4, down, 0, key))
    await socket.send_bytes(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))
    assert await stream.read(1) == b"\x00"


class _Stream:
    """Reads a WebSocket's messages as one stream of bytes."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._rest = b""

    async def read(self, count: int) -> bytes:
        async with asyncio.timeout(30):
            while len(self._rest) < count:
                self._rest += await self._socket.receive_bytes()
        data, self._rest = self._rest[:count], self._rest[count:]
        return data
