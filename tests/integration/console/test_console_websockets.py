import asyncio
import struct

import aiohttp
import pytest
from aiohttp import WSMsgType

pytestmark = pytest.mark.integration

HELLO = b"RFB 003.008\n\x01\x01"
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
UPDATE = b"\x03\x01" + bytes(8)
ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


async def until(condition):
    """Wait for what the other end does; it runs in this loop, but has no event to wait for."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def until_stuck(step):
    """Repeat ``step`` until it waits for the other end; return how many times it went through."""
    for count in range(64):
        try:
            async with asyncio.timeout(0.5):
                await step()
        except TimeoutError:
            return count
    return 64


class FakeVnc:
    """Keeps what it is told and says what it is asked to."""

    def __init__(self):
        self.heard = bytearray()
        self.connected = asyncio.Event()
        self.gone = asyncio.Event()
        self.writer = None
        self.reads = asyncio.Event()
        self.reads.set()

    async def serve(self, reader, writer):
        self.writer = writer
        self.connected.set()
        try:
            while True:
                await self.reads.wait()
                data = await reader.read(65536)
                if not data:
                    break
                self.heard += data
        finally:
            writer.close()
            self.gone.set()

    async def hears(self, size):
        await until(lambda: len(self.heard) >= size)
        return bytes(self.heard)


@pytest.fixture
async def vnc(backend, tmp_path):
    fake = FakeVnc()
    backend.vnc_socket = tmp_path / "vnc.sock"
    server = await asyncio.start_unix_server(fake.serve, backend.vnc_socket)
    yield fake
    if fake.writer is not None:
        fake.writer.close()
    server.close()
    await server.wait_closed()


async def collect(socket, size):
    data = b""
    while len(data) < size:
        message = await socket.receive(timeout=20)
        assert message.type is WSMsgType.BINARY
        data += message.data
    return data


async def test_bytes_go_both_ways(owner, vnc):
    async with owner.ws("/api/v1/vnc", protocols=("binary",)) as socket:
        assert socket.protocol == "binary"
        await vnc.connected.wait()
        vnc.writer.write(b"RFB 003.008\n")
        assert await collect(socket, 12) == b"RFB 003.008\n"
        await socket.send_bytes(HELLO + KEY)
        assert await vnc.hears(22) == HELLO + KEY
    await asyncio.wait_for(vnc.gone.wait(), 10)


async def test_much_data_arrives_whole(owner, vnc):
    picture = bytes(range(256)) * (64 << 10)
    async with owner.ws("/api/v1/vnc") as socket:
        await vnc.connected.wait()
        vnc.writer.write(picture)
        assert await collect(socket, len(picture)) == picture


async def test_a_view_only_session_can_only_ask_for_pictures(watcher, vnc):
    async with watcher.ws("/api/v1/vnc") as socket:
        sent = HELLO + KEY + UPDATE + KEY * 3 + UPDATE
        for byte in range(0, len(sent), 5):
            await socket.send_bytes(sent[byte : byte + 5])
        assert await vnc.hears(len(HELLO + UPDATE * 2)) == HELLO + UPDATE + UPDATE


async def test_a_view_only_session_that_leaves_the_protocol_is_cut(watcher, vnc):
    async with watcher.ws("/api/v1/vnc") as socket:
        await socket.send_bytes(HELLO + b"\x63")
        assert (await socket.receive()).type in ENDS
        assert socket.close_code == 1008
    await asyncio.wait_for(vnc.gone.wait(), 10)
    assert b"\x63" not in vnc.heard


async def test_text_is_not_rfb(owner, vnc):
    async with owner.ws("/api/v1/vnc") as socket:
        await socket.send_str("hello")
        await socket.receive()
        assert socket.close_code == 1003


async def test_the_viewer_notices_when_qemu_goes(owner, vnc):
    async with owner.ws("/api/v1/vnc") as socket:
        await vnc.connected.wait()
        vnc.writer.write(b"last words")
        vnc.writer.close()
        assert (await socket.receive()).data == b"last words"
        await socket.receive()
        assert socket.close_code == 1001


async def test_without_a_screen_the_answer_is_409(owner):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await owner.ws("/api/v1/vnc")
    assert refused.value.status == 409


async def test_a_plain_request_for_a_websocket_is_an_error(owner, vnc):
    async with owner.get("/api/v1/vnc", headers=owner.origin) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["key"] == "bad-request"
    await asyncio.wait_for(vnc.gone.wait(), 10)


async def test_a_viewer_that_does_not_read_stops_qemu_instead_of_filling_memory(owner, vnc):
    async with owner.ws("/api/v1/vnc", headers=owner.origin) as socket:
        await vnc.connected.wait()
        # Stop this client's reading below aiohttp.
        socket._conn.protocol.transport.pause_reading()

        async def paint():
            vnc.writer.write(bytes(1 << 20))
            await vnc.writer.drain()

        painted = await until_stuck(paint) + 1
        assert painted < 32
        socket._conn.protocol.transport.resume_reading()
        assert len(await collect(socket, painted << 20)) == painted << 20


async def test_a_qemu_that_does_not_read_stops_the_viewer(owner, vnc):
    vnc.reads.clear()
    async with owner.ws("/api/v1/vnc") as socket:
        await vnc.connected.wait()
        sent = await until_stuck(lambda: socket.send_bytes(bytes(1 << 19)))
        assert sent < 64
        vnc.reads.set()
        await vnc.hears(sent << 19)


async def test_too_long_messages_are_refused(owner, vnc):
    async with owner.ws("/api/v1/vnc") as socket:
        await socket.send_bytes(bytes((1 << 20) + 1))
        await socket.receive()
        assert socket.close_code == 1009


async def test_stopping_the_console_ends_websockets(owner, vnc, server):
    async with owner.ws("/api/v1/vnc") as screen, owner.ws("/api/v1/serial") as serial:
        await serial.receive()
        await vnc.connected.wait()
        stopping = asyncio.ensure_future(server.stop())
        assert (await screen.receive()).type in ENDS
        assert (await serial.receive()).type in ENDS
        assert screen.close_code == serial.close_code == 1001
        await stopping
    assert vnc.gone.is_set()


async def test_serial_starts_with_the_tail_and_takes_text_and_bytes(owner, backend):
    async with owner.ws("/api/v1/serial") as socket:
        assert (await socket.receive()).data == b"tail of the log\r\n"
        (client,) = backend.serials
        client.say(b"\xff\x00login: ")
        assert (await socket.receive()).data == b"\xff\x00login: "
        await socket.send_str("rööt\r")
        await socket.send_bytes(b"\x03")
        await until(lambda: len(client.typed) >= 7)
        assert bytes(client.typed) == "rööt\r".encode() + b"\x03"
    await until(lambda: client.closed)


async def test_serial_view_only_sessions_cannot_type(watcher, backend):
    async with watcher.ws("/api/v1/serial") as socket:
        await socket.receive()
        await socket.send_bytes(b"rm -rf /\r")
        backend.serials[0].say(b"still here")
        assert (await socket.receive()).data == b"still here"
        await socket.close()
    assert backend.serials[0].typed == b""


async def test_serial_refuses_long_messages(owner, backend):
    async with owner.ws("/api/v1/serial") as socket:
        await socket.receive()
        await socket.send_bytes(bytes((64 << 10) + 1))
        await socket.receive()
        assert socket.close_code == 1009
    assert backend.serials[0].typed == b""


async def test_serial_ends_with_the_backend(owner, backend):
    async with owner.ws("/api/v1/serial") as socket:
        await socket.receive()
        backend.serials[0].close()
        assert (await socket.receive()).type in ENDS


async def test_websockets_on_the_socket_need_no_login(local, vnc):
    async with local.ws_connect("/api/v1/vnc") as socket:
        await socket.send_bytes(HELLO)
        assert await vnc.hears(len(HELLO)) == HELLO
