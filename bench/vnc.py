"""How many bytes of the screen come through the console each second, against the WebSocket that QEMU itself offers.

One QEMU, one screen, two ways to it, in turns: whole frames in raw encoding, each asked for when the last one is there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import aiohttp

from bench.figures import Figure, in_turns, median, spread
from bench.machines import Home, empty_home
from quarterdeck.runtime.client import SupervisorClient

_SECONDS = 4.0
_RAW = 0
_SPEC = """\
name: vnc
arch: x86_64
accel: tcg
cpus: 1
memory: 512M
disks: [{{size: 1G}}]
networks: []
agent: false
firmware: uefi
display: {{device: VGA, resolution: 2560x1600}}
viewer: {{port: 0}}
qemu_args: [-vnc, "127.0.0.1:{display},websocket={port}"]
"""


def measure(runs: int) -> Iterator[Figure]:
    """Yield the bytes per second through the console, from ``runs`` samples of four seconds."""
    with empty_home() as home:
        port = _free_port()
        spec = home.root / "vnc.yaml"
        spec.write_text(_SPEC.format(display=_free_port(5900) - 5900, port=port), encoding="utf-8")
        try:
            home.qd("run", str(spec), "--detach")
            home.wait_for("vnc", "running")
            time.sleep(10)  # the firmware's picture stands
            console, direct = in_turns(runs, lambda: asyncio.run(_console(home)), lambda: asyncio.run(_direct(port)))
        finally:
            home.qd("rm", "--yes", "--force", "vnc")
    value, baseline = median(console), median(direct)
    yield Figure(
        "screen through the console",
        value,
        "MB/s",
        "QEMU's WebSocket",
        baseline,
        "at least 0.9 x",
        value >= 0.9 * baseline,
        spread(console),
    )


def _free_port(start: int = 20000) -> int:
    for port in range(start, start + 1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port")


async def _console(home: Home) -> float:
    link = SupervisorClient(home.layout("vnc").api_socket).request("POST", "/links", {"view_only": False})["url"]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(link):
            pass
        return await _rate(session, urljoin(link, "/api/v1/vnc"), {"Origin": urljoin(link, "/").rstrip("/")})


async def _direct(port: int) -> float:
    async with aiohttp.ClientSession() as session:
        return await _rate(session, f"http://127.0.0.1:{port}/", {})


async def _rate(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> float:
    """Return the megabytes per second that arrive over the WebSocket at ``url``."""
    async with session.ws_connect(url, headers=headers, protocols=("binary",), max_msg_size=0) as ws:
        screen = _Screen(ws)
        await screen.begin()
        start, received = time.perf_counter(), 0
        while time.perf_counter() - start < _SECONDS:
            received += await screen.frame()
        return received / (time.perf_counter() - start) / 1e6


class _Screen:
    """The least of an RFB client. Source: RFC 6143."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._pending = bytearray()
        self._size = (0, 0)

    async def begin(self) -> None:
        """Shake hands without a password, and ask for raw encoding only."""
        await self._read(12)
        await self._ws.send_bytes(b"RFB 003.008\n")
        await self._read((await self._read(1))[0])
        await self._ws.send_bytes(b"\x01")
        await self._read(4)
        await self._ws.send_bytes(b"\x01")
        head = await self._read(24)
        self._size = struct.unpack(">HH", head[:4])
        await self._read(struct.unpack(">I", head[20:])[0])
        await self._ws.send_bytes(struct.pack(">BxHi", 2, 1, _RAW))

    async def frame(self) -> int:
        """Ask for the whole screen and return the bytes that it took."""
        await self._ws.send_bytes(struct.pack(">BBHHHH", 3, 0, 0, 0, *self._size))
        _kind, count = struct.unpack(">BxH", await self._read(4))
        received = 4
        for _ in range(count):
            _x, _y, width, height, _encoding = struct.unpack(">HHHHi", await self._read(12))
            await self._read(width * height * 4)
            received += 12 + width * height * 4
        return received

    async def _read(self, size: int) -> bytes:
        while len(self._pending) < size:
            message: Any = await self._ws.receive_bytes()
            self._pending += message
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data
