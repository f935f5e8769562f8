"""QMP: real QEMU where it can be had, and a false one to inject faults."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import find, spawn
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.runtime.instance import end
from quarterdeck.runtime.qmp import Qmp

pytestmark = pytest.mark.integration

GREETING = b'{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\n'


def us() -> ProcessHandle:
    handle = ProcessHandle.find(os.getpid())
    assert handle is not None
    return handle


async def requests(reader: asyncio.StreamReader):
    """Yield the JSON objects of a stream; like QEMU, need nothing between them."""
    pending = ""
    while chunk := await reader.read(4096):
        pending += chunk.decode()
        while pending := pending.lstrip():
            try:
                request, end = json.JSONDecoder().raw_decode(pending)
            except ValueError:
                break
            pending = pending[end:]
            yield request


@asynccontextmanager
async def false_qemu(path: Path, answer, greeting: bytes = GREETING):
    """Serve QMP at ``path``; ``answer`` returns the bytes for one request, None to hang up."""
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            writer.write(greeting)
            async for request in requests(reader):
                good = json.dumps({"return": {}, "id": request.get("id")}).encode() + b"\n"
                content = good if request["execute"] == "qmp_capabilities" else answer(request)
                if content is None:
                    break
                writer.write(content)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, str(path))
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def returns(value) -> object:
    return lambda request: json.dumps({"return": value, "id": request["id"]}).encode() + b"\n"


@asynccontextmanager
async def connected(tmp_path: Path, answer):
    path = tmp_path / "qmp.sock"
    async with false_qemu(path, answer):
        qmp = await Qmp.connect(path, us(), tmp_path / "log")
        try:
            yield qmp
        finally:
            await qmp.close()


@asynccontextmanager
async def real_qemu(tmp_path: Path, *arguments: str):
    program = find("qemu-system-x86_64")
    if program is None:
        pytest.skip("qemu-system-x86_64 is not installed")
    path, log = tmp_path / "qmp.sock", tmp_path / "qemu.log"
    handle = os.open(log, os.O_CREAT | os.O_WRONLY, 0o600)
    words = [program, "-nodefaults", "-S", "-accel", "tcg", "-m", "64", "-display", "none", *arguments]
    process = spawn([*words, "-qmp", f"unix:{path},server=on,wait=off"], log=handle)
    os.close(handle)
    try:
        yield process, path, log
    finally:
        await end(process, grace=0)


async def test_real_qemu_is_controlled_through_its_life(tmp_path):
    arguments = (
        "-machine",
        "q35",
        "-vga",
        "std",
        "-blockdev",
        "null-co,node-name=d,size=1048576,read-zeroes=on",
        "-device",
        "virtio-blk-pci,drive=d",
    )
    async with real_qemu(tmp_path, *arguments) as (process, path, log):
        qmp = await Qmp.connect(path, process, log)
        seen: list[str] = []

        async def watch() -> None:
            seen.extend([event.name async for event in qmp.events()])

        watching = asyncio.create_task(watch())
        assert await qmp.status() == (await qmp.status())
        assert (await qmp.status()).status == "prelaunch"
        await qmp.cont()
        assert (await qmp.status()).running
        await qmp.stop()
        assert (await qmp.block_totals()).read >= 0
        await qmp.send_keys(["ctrl", "alt", "delete"])
        await qmp.screendump(tmp_path / "screen.png")
        with pytest.raises(QemuError) as refused:
            await qmp.send_keys(["no-such-key"])
        with pytest.raises(QemuError):
            await qmp.screendump(tmp_path / "none" / "screen.png")
        await qmp.reset()
        await qmp.quit()
        await process.wait()
        await watching
        await qmp.close()
    assert refused.value.key == "qmp-refused"
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
    assert seen[:2] == ["RESUME", "STOP"]
    assert "SHUTDOWN" in seen


async def test_qemu_that_ends_before_it_listens_is_an_error_with_its_log(tmp_path):
    async with real_qemu(tmp_path, "-device", "no-such-device") as (process, path, log):
        with pytest.raises(QemuError) as caught:
            await Qmp.connect(path, process, log)
    assert caught.value.key == "qemu-died"
    assert "no-such-device" in caught.value.reason
    assert str(log) in caught.value.hint


async def test_second_connection_works_after_the_first_is_closed(tmp_path):
    async with real_qemu(tmp_path, "-machine", "none") as (process, path, log):
        for _ in range(3):
            qmp = await Qmp.connect(path, process, log)
            assert (await qmp.status()).status == "prelaunch"
            await qmp.close()


async def test_killed_qemu_ends_the_events_and_fails_what_waits(tmp_path):
    async with real_qemu(tmp_path, "-machine", "none") as (process, path, log):
        qmp = await Qmp.connect(path, process, log)
        process.send(9)
        async with asyncio.timeout(10):
            assert [event async for event in qmp.events()] == []
        with pytest.raises(QemuError) as caught:
            await qmp.status()
        await qmp.close()
    assert caught.value.key == "qmp-lost"


@pytest.mark.parametrize("reply", [None, [], 7, "x", True])
async def test_odd_answers_to_typed_commands_are_our_errors(tmp_path, reply):
    async with connected(tmp_path, returns(reply)) as qmp:
        with pytest.raises(QemuError) as caught:
            await qmp.status()
        assert caught.value.key == "qmp-odd-reply"
        assert (await qmp.block_totals()).read == 0


async def test_odd_block_statistics_count_as_nothing(tmp_path):
    odd = [1, {}, {"stats": 3}, {"stats": {"rd_bytes": "x", "wr_bytes": True}}, {"stats": {"rd_bytes": 5, "wr_bytes": 6}}]
    async with connected(tmp_path, returns(odd)) as qmp:
        totals = await qmp.block_totals()
    assert (totals.read, totals.written) == (5, 6)


@pytest.mark.parametrize(
    "content", [b"nonsense\n", b"[]\n", b"\xff\xfe\n", b'{"error": {"class": "x", "desc": "y"}}\n', None, b"x" * (11 << 20) + b"\n"]
)
async def test_broken_conversation_is_our_error_and_ends_the_events(tmp_path, content):
    async with connected(tmp_path, lambda request: content) as qmp:
        with pytest.raises(QemuError):
            await qmp.execute("query-status")
        async with asyncio.timeout(10):
            assert [event async for event in qmp.events()] == []


@pytest.mark.parametrize("reply", [{"error": 3}, {"error": {}}, {"neither": 1}])
async def test_malformed_answers_are_our_errors(tmp_path, reply):
    async with connected(tmp_path, lambda request: json.dumps({**reply, "id": request["id"]}).encode() + b"\n") as qmp:
        with pytest.raises(QemuError):
            await qmp.execute("query-status")


async def test_silence_is_a_deadline_and_later_commands_work(tmp_path):
    def answer(request: dict) -> bytes:
        return b"" if request["execute"] == "stop" else json.dumps({"return": {"status": "running"}, "id": request["id"]}).encode() + b"\n"

    async with connected(tmp_path, answer) as qmp:
        with pytest.raises(DeadlineError):
            await qmp.execute("stop", timeout=0.1)
        assert (await qmp.status()).status == "running"


async def test_flood_of_events_is_bounded_and_does_not_block_answers(tmp_path):
    flood = b'{"event": "X", "data": {"n": 1}, "timestamp": {"seconds": 1, "microseconds": 2}}\n' * 6000

    def answer(request: dict) -> bytes:
        return (
            flood
            + b'{"event": 5}\n{"event": "Y", "data": []}\n'
            + json.dumps({"return": {"status": "paused"}, "id": request["id"]}).encode()
            + b"\n"
        )

    async with connected(tmp_path, answer) as qmp:
        assert (await qmp.status()).status == "paused"
        assert qmp._client.inbox.qsize() == 4096


@pytest.mark.parametrize("greeting", [b"SSH-2.0\n", b"{}\n", b"", b"[" * 30_000 + b"\n"])
async def test_something_else_at_the_socket_is_our_error(tmp_path, greeting):
    path = tmp_path / "qmp.sock"
    async with false_qemu(path, lambda request: None, greeting):
        with pytest.raises((QemuError, DeadlineError)):
            await Qmp.connect(path, us(), tmp_path / "log", timeout=1)


async def test_nobody_at_the_socket_is_a_deadline(tmp_path):
    with pytest.raises(DeadlineError):
        await Qmp.connect(tmp_path / "none.sock", us(), tmp_path / "log", timeout=0.1)
