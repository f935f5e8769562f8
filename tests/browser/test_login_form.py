"""The login form in a real browser, without scripts: what Chromium sends as Origin decides whether it works at all."""

from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Browser

from quarterdeck.console.backend import MachineBackend
from quarterdeck.console.credentials import Login
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer
from quarterdeck.machine.spec import ViewerTls
from quarterdeck.runtime.events import EventLog

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


class NoMachine:
    """As much of a machine as the pages outside the API ask for."""

    def __init__(self) -> None:
        self.events = EventLog()

    def describe(self, *, private: bool) -> dict[str, Any]:
        return {"name": "demo"}


@pytest.mark.parametrize("tls", [ViewerTls.OFF, ViewerTls.GENERATED])
async def test_user_and_password_lead_to_the_console_without_scripts(chromium: Browser, tmp_path: Path, tls: ViewerTls):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("<!doctype html><title>the console</title>")
    (tmp_path / "password").write_text("correct horse\n")
    viewer = Viewer(port=0, tls=tls, login=Login(user="ann", password_file=tmp_path / "password"))
    paths = {"socket_path": tmp_path / "api.sock", "secrets_path": tmp_path / "secrets.json", "static": tmp_path / "static"}
    server = ConsoleServer(cast("MachineBackend", NoMachine()), viewer=viewer, **paths)
    await server.start()
    context = await chromium.new_context(java_script_enabled=False, ignore_https_errors=True, viewport={"width": 360, "height": 640})
    try:
        page = await context.new_page()
        await page.goto(str(server.viewer_url))
        for password, title in (("wrong", "Log in to demo - Quarterdeck"), ("correct horse", "the console")):
            await page.get_by_label("User").fill("ann")
            await page.get_by_label("Password").fill(password)
            await page.get_by_role("button", name="Log in").click()
            await page.wait_for_load_state()
            assert await page.title() == title
            assert await page.get_by_role("alert").count() == (password == "wrong")
        cookie = (await context.cookies())[0]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (tls is ViewerTls.GENERATED, True, "Strict")
    finally:
        await context.close()
        await server.stop()
