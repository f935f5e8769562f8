"""A web server of our own whose files misbehave as those of publishers do."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Served:
    """One file and how it is served: ``cuts`` are numbers of bytes after which one answer each breaks off.

    ``allowed`` is how many bytes are sent in all; more only when it grows, None for everything.
    """

    body: bytes
    etag: str = '"1"'
    modified: str = ""
    kind: str = "application/octet-stream"
    ranges: bool = True
    length: bool = True
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    most: int = 1000
    delay: float = 0.0
    endless: bool = False
    allowed: int | None = None


class Publisher:
    """The server; ``files`` by path, ``asked`` the Range headers of each path in order."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.asked: dict[str, list[str]] = {}
        self.sent: dict[str, int] = {}
        self.active: dict[str, int] = {}
        self.most_active = 0
        self.base = ""

    def add(self, path: str, served: Served) -> str:
        self.files[path] = served
        return f"{self.base}{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        served = self.files.get(request.path)
        self.asked.setdefault(request.path, []).append(request.headers.get("Range", ""))
        if served is None:
            raise web.HTTPNotFound
        if served.statuses:
            status = served.statuses.pop(0)
            if status != 200:
                return web.Response(status=status, headers=served.headers)
        if self.active.get(request.path, 0) >= served.most:
            return web.Response(status=503)
        self.active[request.path] = self.active.get(request.path, 0) + 1
        self.most_active = max(self.most_active, self.active[request.path])
        try:
            return await self._send(request, served)
        except ConnectionResetError:
            return web.Response()  # the client went away
        finally:
            self.active[request.path] -= 1

    async def _send(self, request: web.Request, served: Served) -> web.StreamResponse:
        body, status = served.body, 200
        headers = {"Content-Type": served.kind, "ETag": served.etag, "Last-Modified": served.modified, **served.headers}
        headers = {name: value for name, value in headers.items() if value}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        fresh = request.headers.get("If-Range", served.etag) in (served.etag, served.modified)
        if match and served.ranges and fresh:
            start, end = int(match[1]), min(int(match[2]) + 1, len(body))
            if start >= len(body):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
            body, status = body[start:end], 206
        answer = web.StreamResponse(status=status, headers=headers)
        if served.length:
            answer.content_length = len(body)
        await answer.prepare(request)
        cut = served.cuts.pop(0) if served.cuts else len(body)
        for offset in range(0, min(cut, len(body)), 256 << 10):
            piece = body[offset : min(offset + (256 << 10), cut)]
            await self._until_allowed(request, served)
            await answer.write(piece)
            self.sent[request.path] = self.sent.get(request.path, 0) + len(piece)
            if served.delay:
                await asyncio.sleep(served.delay)
        while served.endless:
            await answer.write(bytes(256 << 10))
        if cut < len(body):
            assert request.transport is not None
            request.transport.abort()
        return answer

    async def _until_allowed(self, request: web.Request, served: Served) -> None:
        while served.allowed is not None and self.sent.get(request.path, 0) >= served.allowed:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(0.01)


@asynccontextmanager
async def publisher() -> AsyncIterator[Publisher]:
    lab = Publisher()
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", lab.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    lab.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield lab
    finally:
        await runner.cleanup()


def content(size: int, seed: int = 0) -> bytes:
    """Bytes without a pattern, the same for the same ``seed``."""
    return hashlib.shake_128(str(seed).encode()).digest(size)
