"""The agent's client against agents that misbehave on a real socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands
from quarterdeck.guest.qga import AgentError, GuestAgent

pytestmark = pytest.mark.integration

Answer = Callable[[dict, asyncio.StreamWriter], Awaitable[None]]


async def sync(request: dict, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff" + json.dumps({"return": request["arguments"]["id"]}).encode() + b"\n")


@asynccontextmanager
async def agent(tmp_path: Path, answer: Answer, greet: Answer = sync):
    """An agent that greets properly and then answers with ``answer``."""
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while line := await reader.readline():
                request = json.loads(line.lstrip(b"\xff"))
                await (greet if request["execute"] == "guest-sync-delimited" else answer)(request, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    path = tmp_path / "agent.sock"
    server = await asyncio.start_unix_server(serve, str(path))
    client = GuestAgent(path)
    try:
        yield client
    finally:
        await client.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def say(content: bytes) -> Answer:
    async def answer(request: dict, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return answer


async def test_answer_is_returned(tmp_path):
    async with agent(tmp_path, say(b'{"return": {"host-name": "box"}}\n')) as client:
        assert await commands.host_name(client) == "box"
        assert await commands.host_name(client) == "box"


async def test_refusal_is_an_error_with_its_words_and_the_connection_stays(tmp_path):
    async with agent(tmp_path, say(b'{"error": {"class": "CommandNotFound", "desc": "no such thing"}}\n')) as client:
        for _ in range(2):
            with pytest.raises(AgentError) as caught:
                await client.execute("guest-dance")
            assert (caught.value.unknown_command, caught.value.reason) == (True, "no such thing")


@pytest.mark.parametrize(
    "content", [b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'{"error": 3}\n', b"\xff\xfe\x00\n", b"null\n", b"[" * 50_000 + b"\n"]
)
async def test_nonsense_is_our_error_and_the_next_command_works(tmp_path, content):
    answers = [content, b'{"return": {}}\n']

    async def answer(request: dict, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with agent(tmp_path, answer) as client:
        with pytest.raises(QemuError):
            await client.execute("guest-ping")
        assert await client.execute("guest-ping") == {}


async def test_silence_is_a_deadline_and_the_late_answer_is_not_taken_for_the_next(tmp_path):
    seen = []

    async def answer(request: dict, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        if len(seen) > 1:
            writer.write(b'{"return": "second"}\n')

    async with agent(tmp_path, answer) as client:
        with pytest.raises(DeadlineError):
            await client.execute("guest-ping", timeout=0.1)
        assert await client.execute("guest-ping") == "second"


async def test_old_answers_before_the_sync_are_skipped(tmp_path):
    async def greet(request: dict, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"return": "old"}\ngarbage\n\xff{"return": 1}\nhalf an answ')
        await sync(request, writer)

    async with agent(tmp_path, say(b'{"return": "new"}\n'), greet) as client:
        assert await client.execute("guest-ping") == "new"


async def test_flood_does_not_outlast_the_deadline(tmp_path):
    async def flood(request: dict, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b'\xff{"return": 0}\n' * 1000)
            await writer.drain()

    async with agent(tmp_path, flood, flood) as client:
        with pytest.raises(DeadlineError):
            await client.execute("guest-ping", timeout=0.3)


async def test_answer_that_never_ends_is_cut_off(tmp_path):
    async def endless(request: dict, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * (1 << 20))
            await writer.drain()

    async with agent(tmp_path, endless) as client:
        with pytest.raises(QemuError) as caught:
            await client.execute("guest-ping", timeout=30)
    assert caught.value.key == "agent-odd-reply"


async def test_closed_connection_is_our_error(tmp_path):
    async def hang_up(request: dict, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with agent(tmp_path, hang_up) as client:
        with pytest.raises(QemuError) as caught:
            await client.execute("guest-ping")
    assert caught.value.key == "agent-unreachable"


async def test_missing_socket_is_our_error(tmp_path):
    with pytest.raises(QemuError) as caught:
        await GuestAgent(tmp_path / "none.sock").execute("guest-ping")
    assert caught.value.key == "agent-unreachable"


async def test_shutdown_takes_silence_for_obedience_and_words_for_refusal(tmp_path):
    async def silent(request: dict, writer: asyncio.StreamWriter) -> None:
        assert request["arguments"] == {"mode": "powerdown"}

    async with agent(tmp_path, silent) as client:
        await commands.shut_down(client)


async def test_refused_shutdown_is_an_error(tmp_path):
    async with agent(tmp_path, say(b'{"error": {"class": "GenericError", "desc": "not now"}}\n')) as client:
        with pytest.raises(AgentError) as caught:
            await commands.shut_down(client)
    assert caught.value.reason == "not now"


async def test_commands_at_once_are_answered_one_after_the_other(tmp_path):
    async def echo(request: dict, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(json.dumps({"return": request["arguments"]["number"]}).encode() + b"\n")

    async with agent(tmp_path, echo) as client:
        answers = await asyncio.gather(*(client.execute("guest-x", {"number": number}) for number in range(10)))
    assert answers == list(range(10))
