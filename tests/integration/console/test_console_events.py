import asyncio
import json
import socket
import tracemalloc

import aiohttp
import pytest

from quarterdeck.console import app as app_module
from quarterdeck.console import events as events_module
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.streams import Streams

pytestmark = pytest.mark.integration


async def next_event(content):
    """Return the next event as a dict of its fields; comments are passed over."""
    fields: dict[str, str] = {}
    async for line in content:
        text = line.decode().rstrip("\n")
        if not text and fields:
            return fields
        name, _, value = text.partition(": ")
        if name and not text.startswith(":"):
            fields[name] = value
    return None


async def test_history_first_then_live(owner, backend):
    backend.events.publish("state", {"state": "running", "reason": ""})
    backend.events.publish("message", {"level": "info", "text": "zwei\nZeilen ü"})
    async with owner.get("/api/v1/events") as answer:
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        first, second = await next_event(answer.content), await next_event(answer.content)
        backend.events.publish("qemu", {"name": "RESUME", "data": {}})
        third = await next_event(answer.content)
    assert [event["event"] for event in (first, second, third)] == ["state", "message", "qemu"]
    assert json.loads(second["data"])["text"] == "zwei\nZeilen ü"
    assert int(first["id"]) < int(second["id"]) < int(third["id"])


async def test_last_event_id_resumes(owner, backend):
    for number in range(5):
        backend.events.publish("message", {"level": "info", "text": str(number)})
    async with owner.get("/api/v1/events") as answer:
        seen = [await next_event(answer.content) for _ in range(3)]
    async with owner.get("/api/v1/events", headers={"Last-Event-ID": seen[-1]["id"]}) as answer:
        assert json.loads((await next_event(answer.content))["data"])["text"] == "3"


@pytest.mark.parametrize("last", ["7", "", "-1", "x", "9" * 30, "٣"])
async def test_a_number_from_an_older_supervisor_gets_the_whole_history(owner, backend, last):
    backend.events.publish("message", {"level": "info", "text": "first"})
    async with owner.get("/api/v1/events", headers={"Last-Event-ID": last.encode().decode("latin-1")}) as answer:
        assert json.loads((await next_event(answer.content))["data"])["text"] == "first"


async def test_silence_is_broken_by_comments(owner, monkeypatch):
    monkeypatch.setattr(events_module, "KEEP_ALIVE", 0.01)
    async with owner.get("/api/v1/events") as answer:
        for _ in range(3):
            assert await answer.content.readline() == b":\n"
            assert await answer.content.readline() == b"\n"


async def test_the_stream_ends_with_the_log(owner, backend):
    async with owner.get("/api/v1/events") as answer:
        backend.events.publish("state", {"state": "stopped", "reason": ""})
        backend.events.close()
        assert (await next_event(answer.content))["event"] == "state"
        assert await next_event(answer.content) is None


async def test_the_stream_ends_when_the_console_stops(owner, server):
    async with owner.get("/api/v1/events") as answer:
        await answer.content.readline()
        stopping = asyncio.ensure_future(server.stop())
        assert await next_event(answer.content) is None
        await stopping


async def test_a_client_that_does_not_read_is_dropped_and_costs_little(local, backend, tmp_path, monkeypatch):
    monkeypatch.setattr(events_module, "PATIENCE", 0.3)
    slow = socket.socket(socket.AF_UNIX)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    slow.connect(str(tmp_path / "api.sock"))
    slow.send(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(300):
        backend.events.publish("message", {"level": "info", "text": "x" * 4000})
        await asyncio.sleep(0.002)
    kept = sum(len(record.data["text"]) for record in backend.events._records)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < kept + (1 << 20)
    await asyncio.sleep(0.5)
    drained = 0
    with pytest.raises((BlockingIOError, ConnectionError)):  # noqa: PT012
        while data := slow.recv(1 << 16):
            drained += len(data)
        raise ConnectionResetError  # the end came as EOF
    assert drained < kept
    slow.close()
    async with local.get("/api/v1/session") as answer:
        assert answer.status == 200


async def test_only_so_many_streams_are_served(backend, monkeypatch, tmp_path):
    monkeypatch.setattr(app_module, "Streams", lambda: Streams(limit=1))
    console = ConsoleServer(backend, socket_path=tmp_path / "b.sock", secrets_path=tmp_path / "b.json")
    await console.start()
    connector = aiohttp.UnixConnector(str(tmp_path / "b.sock"))
    async with (
        aiohttp.ClientSession("http://localhost", connector=connector) as session,
        session.get("/api/v1/events"),
        session.get("/api/v1/events") as answer,
    ):
        assert answer.status == 503
        assert (await answer.json())["error"]["key"] == "too-many-viewers"
    await console.stop()
