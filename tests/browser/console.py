"""The page as its user meets it: found by the test ids of its parts, read by its pixels."""

import io
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageChops
from playwright.async_api import ConsoleMessage, Locator, Page, Request
from tests.browser.desk import Desk, eventually

CURSOR = (9, 16)
"""Width and height of one character in VGA text mode, in pixels: what a blinking cursor may change."""
_CODES = {
    "`": "Backquote", "-": "Minus", "=": "Equal", "[": "BracketLeft", "]": "BracketRight", "\\": "Backslash", ";": "Semicolon",
    "'": "Quote", ",": "Comma", ".": "Period", "/": "Slash", " ": "Space", "\n": "Enter",
}  # fmt: skip
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))
OUTAGE = ("net::ERR_", "WebSocket connection to ", "WebSocket on-error event", "Failed when connecting: Connection closed")
"""Words of Chromium's complaints about a server that is away."""
FAILURES = ("status of 400", "status of 502")
"""Words of its complaints about requests that went wrong."""
REFUSALS = ("status of 403",)
"""Words of its complaint about a request that the server refused."""
_ADVICE = "willReadFrequently"
"""In an advice on speed that Chromium gives when a screen is drawn again and again."""
_CSP_WATCH = (
    "document.addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective, event.blockedURI))"
)


class Console:
    """One browser tab with the console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.expected: tuple[str, ...] = ()
        """Words of complaints that belong to the test."""
        self._complaints: list[str] = []
        self._hosts: set[str] = set()
        self._first_host = ""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("request", self._on_request)

    async def open(self, url: str) -> None:
        self._first_host = urlsplit(url).netloc
        await self.page.add_init_script(_CSP_WATCH)
        await self.page.goto(url)

    def get(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def tab(self, name: str) -> None:
        await self.get(f"tab-{name}").click()

    async def power(self, item: str) -> None:
        """Choose an item of the power menu."""
        await self.get("power-menu").click()
        await self.get(f"power-{item}").click()

    async def until_state(self, state: str) -> None:
        await self.page.locator(f"[data-testid=state][data-state={state}]").wait_for()

    async def until_connected(self) -> None:
        await self.canvas.wait_for()

    @property
    def canvas(self) -> Locator:
        """The screen, once it is connected."""
        return self.page.locator("[data-testid=screen][data-status=connected] canvas")

    async def focus_screen(self) -> None:
        await self.until_connected()
        await self.canvas.click()

    async def type(self, text: str) -> None:
        """Press and release the keys of a US keyboard, with Shift held where a person would hold it."""
        keyboard = self.page.keyboard
        for character in text:
            shifted = character in _SHIFTED or character.isupper()
            if shifted:
                await keyboard.down("Shift")
            await keyboard.press(_code(character))
            if shifted:
                await keyboard.up("Shift")

    async def glass(self) -> Image.Image:
        """Return the screen as it is drawn on the page; pixel by pixel when the scale is 1:1."""
        return Image.open(io.BytesIO(await self.canvas.screenshot())).convert("RGB")

    async def header(self) -> Image.Image:
        """Return the bar at the top of the page as it is drawn."""
        return Image.open(io.BytesIO(await self.page.locator("header").first.screenshot())).convert("RGB")

    async def until_shows_screen_of(self, desk: Desk) -> Image.Image:
        """Wait until the page shows what QEMU draws, at 1:1, and return it."""
        await self.until_connected()
        await self.get("scale-actual").click()
        seen: list[Image.Image] = []

        async def same() -> bool:
            seen[:] = [await self.glass()]
            return is_same_picture(seen[0], await desk.screenshot())

        await eventually(same)
        return seen[0]

    async def remember(self) -> None:
        """Leave a mark that a reload of the page would wipe out."""
        await self.page.evaluate("window.notReloaded = true")

    async def remembers(self) -> bool:
        return bool(await self.page.evaluate("window.notReloaded === true"))

    async def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def complaints(self) -> list[str]:
        """Return what the browser complained of: errors, warnings, violations of the content security policy, foreign hosts."""
        unexpected = [text for text in self._complaints if not any(words in text for words in self.expected)]
        foreign = self._hosts - {self._first_host, urlsplit(self.page.url).netloc}
        return [*unexpected, *(f"a request to {host}" for host in foreign)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _ADVICE not in message.text:
            self._complaints.append(f"{message.type}: {message.text} {message.location}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self._hosts.add(parts.netloc)


def _code(character: str) -> str:
    """Return the place of a character's key, as KeyboardEvent.code names it."""
    plain = _SHIFTED.get(character, character)
    if plain.isdecimal():
        return f"Digit{plain}"
    return _CODES.get(plain) or f"Key{plain.upper()}"


def is_same_picture(left: Image.Image, right: Image.Image) -> bool:
    """Whether two screens differ in no more than a cursor that blinks."""
    if left.size != right.size:
        return False
    box: Any = ImageChops.difference(left, right).getbbox()
    return box is None or (box[2] - box[0] <= CURSOR[0] and box[3] - box[1] <= CURSOR[1])
