"""Work for clients that hang up."""

import asyncio

import pytest
from aiohttp import ClientSession, UnixConnector, web

from quarterdeck.console.hangup import while_connected

pytestmark = pytest.mark.integration


async def test_work_ends_when_the_client_is_gone(tmp_path):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(600)
        finally:
            ended.set()

    async def handle(request: web.Request) -> web.Response:
        await while_connected(request, work())
        return web.Response()

    application = web.Application()
    application.router.add_post("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "s")).start()
    try:
        async with ClientSession(connector=UnixConnector(str(tmp_path / "s"))) as session:
            asked = asyncio.create_task(session.post("http://here/"))
            await begun.wait()
            asked.cancel()
        async with asyncio.timeout(30):
            await ended.wait()
    finally:
        await runner.cleanup()


async def test_what_work_returns_or_raises_is_passed_on():
    async def fail() -> None:
        raise ValueError("no")

    class Request:
        transport = object()

    assert await while_connected(Request(), asyncio.sleep(0, 5)) == 5  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no"):
        await while_connected(Request(), fail())  # type: ignore[arg-type]
