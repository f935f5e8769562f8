"""``python -m bench.mirror FOLDER``: serves the files of a folder over a link of 50 MiB a second; prints its address first."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

from aiohttp import web

_RATE = 50 << 20
"""Bytes a second of all connections together, whoever asks: a good mirror over a good line."""
_PIECE = 128 << 10


class Link:
    """The link that all answers share."""

    def __init__(self) -> None:
        self._free = 0.0

    async def carry(self, size: int) -> None:
        """Wait for the turn of ``size`` bytes."""
        now = time.monotonic()
        self._free = max(now, self._free) + size / _RATE
        if self._free - now > 0.005:
            await asyncio.sleep(self._free - now)


class Mirror:
    """Answers whole files and ranges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._link = Link()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = self._folder / request.match_info["name"]
        total = path.stat().st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        start, end = (int(match[1]), min(int(match[2]) + 1, total)) if match else (0, total)
        response = web.StreamResponse(status=206 if match else 200, headers={"ETag": f'"{path.stat().st_mtime_ns}"'})
        if match:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        response.content_length = end - start
        await response.prepare(request)
        with path.open("rb") as file:
            file.seek(start)
            while start < end:
                data = file.read(min(_PIECE, end - start))
                await self._link.carry(len(data))
                await response.write(data)
                start += len(data)
        return response


async def main(folder: Path) -> None:
    """Serve until the process ends."""
    app = web.Application()
    app.router.add_get("/{name}", Mirror(folder).answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
