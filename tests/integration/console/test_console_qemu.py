import asyncio
import shutil
import signal
import struct

import pytest
from aiohttp import WSMsgType

from quarterdeck.core import process

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="qemu-system-x86_64 is not installed"),
]

VERSION = b"RFB 003.008\n"


class Viewer:
    """A small RFB client on a WebSocket: raw pixels only."""

    def __init__(self, socket):
        self.socket = socket
        self.data = b""

    async def read(self, size):
        while len(self.data) < size:
            message = await self.socket.receive(timeout=20)
            assert message.type is WSMsgType.BINARY, message
            self.data += message.data
        part, self.data = self.data[:size], self.data[size:]
        return part

    async def start(self, *, shared=True):
        assert await self.read(12) == VERSION
        await self.socket.send_bytes(VERSION)
        await self.read((await self.read(1))[0])
        await self.socket.send_bytes(b"\x01")
        assert await self.read(4) == bytes(4)
        await self.socket.send_bytes(bytes([shared]))
        init = await self.read(24)
        await self.read(int.from_bytes(init[20:24], "big"))
        await self.socket.send_bytes(struct.pack(">BxHi", 2, 1, 0))
        return struct.unpack(">HH", init[:4])

    async def picture(self, width, height):
        await self.socket.send_bytes(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        kind, count = struct.unpack(">BxH", await self.read(4))
        assert kind == 0
        pixels = b""
        for _ in range(count):
            _, _, part_width, part_height, encoding = struct.unpack(">HHHHi", await self.read(12))
            assert encoding == 0
            pixels += await self.read(4 * part_width * part_height)
        return pixels


@pytest.fixture
async def qemu(backend, tmp_path):
    backend.vnc_socket = tmp_path / "vnc.sock"
    argv = ["qemu-system-x86_64", "-S", "-nodefaults", "-display", "none", "-vga", "std", "-vnc", f"unix:{backend.vnc_socket}"]
    with (tmp_path / "qemu.log").open("wb") as log:
        handle = process.spawn(argv, log=log.fileno())
    while not backend.vnc_socket.exists():
        assert handle.alive(), (tmp_path / "qemu.log").read_text()
        await asyncio.sleep(0.02)
    yield handle
    handle.send(signal.SIGTERM)
    await handle.wait()


async def test_the_screen_of_a_real_qemu_is_seen_by_owner_and_watcher_alike(qemu, owner, watcher):
    async with owner.ws("/api/v1/vnc") as first, watcher.ws("/api/v1/vnc") as second:
        screen, watched = Viewer(first), Viewer(second)
        size = await screen.start()
        # The watcher asks for the screen alone, which would throw the owner out.
        assert await watched.start(shared=False) == size
        pixels = await screen.picture(*size)
        assert len(pixels) == 4 * size[0] * size[1]
        assert len(set(pixels)) > 1
        assert await watched.picture(*size) == pixels


async def test_a_watchers_input_is_dropped_and_the_picture_goes_on(qemu, watcher):
    async with watcher.ws("/api/v1/vnc") as socket:
        watched = Viewer(socket)
        size = await watched.start()
        await socket.send_bytes(struct.pack(">BBxxI", 4, 1, 0x61) + struct.pack(">BBHH", 5, 1, 2, 3))
        await socket.send_bytes(struct.pack(">BBHII", 255, 0, 1, 0x61, 30) + struct.pack(">B3xI", 6, 5) + b"paste")
        # QEMU hangs up on xvp and on unknown messages where they are not negotiated; it must never see these.
        await socket.send_bytes(bytes([250, 0, 1, 2]) + struct.pack(">BxHHBx", 251, 800, 600, 1) + bytes(16))
        assert len(await watched.picture(*size)) == 4 * size[0] * size[1]


async def test_the_viewer_is_told_when_qemu_dies(qemu, owner):
    async with owner.ws("/api/v1/vnc") as socket:
        await Viewer(socket).start()
        qemu.send(signal.SIGKILL)
        message = await socket.receive(timeout=20)
        assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
