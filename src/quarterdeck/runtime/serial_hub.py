"""The serial console for many viewers: QEMU's socket takes one client only, and that is the hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

_HISTORY_BYTES = 64 * 1024
_BEHIND_BYTES = 4 << 20
"""How far a viewer may fall behind. Emulated serial ports write single bytes, so that the number of writes says nothing."""
_READ_BYTES = 16 * 1024


class SerialViewer:
    """One viewer. Iterating yields bytes, first the recent past; it ends when closed, or dropped for being too slow."""

    def __init__(self, hub: SerialHub, past: bytes) -> None:
        self._hub = hub
        self._waiting = bytearray(past)
        self._news = asyncio.Event()
        self._closed = False
        if past:
            self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._news.wait()
            if self._waiting:
                chunk = bytes(self._waiting)
                self._waiting.clear()
                yield chunk
            elif self._closed:
                return
            else:
                self._news.clear()

    async def send(self, data: bytes) -> None:
        """Type into the guest; dropped when no guest runs or this viewer was closed."""
        if not self._closed:
            await self._hub.send(data)

    def close(self) -> None:
        """Stop watching; may be called again."""
        self._closed = True
        self._hub.forget(self)
        self._news.set()

    def offer(self, chunk: bytes) -> None:
        """Give the viewer something new; one that does not keep up is closed, since gaps would garble its screen."""
        if len(self._waiting) + len(chunk) > _BEHIND_BYTES:
            self.close()
            return
        self._waiting += chunk
        self._news.set()


class SerialHub:
    """Reads the guest's serial console, keeps its recent past and hands it to all viewers; outlives restarts of QEMU."""

    def __init__(self, past: bytes = b"") -> None:
        self._past = bytearray(past[-_HISTORY_BYTES:])
        self._viewers: set[SerialViewer] = set()
        self._writer: asyncio.StreamWriter | None = None

    def attach(self, *, past: bool = True) -> SerialViewer:
        """Return a new viewer, which begins with the recent past or with what comes from now on."""
        viewer = SerialViewer(self, bytes(self._past) if past else b"")
        self._viewers.add(viewer)
        return viewer

    async def run(self, path: Path) -> None:
        """Carry bytes from QEMU's serial socket ``path`` to the viewers until QEMU closes it."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(path))
        except OSError:
            return
        self._writer = writer
        try:
            with contextlib.suppress(OSError):
                while chunk := await reader.read(_READ_BYTES):
                    self._spread(chunk)
        finally:
            self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send(self, data: bytes) -> None:
        """Type into the guest; dropped when no guest runs."""
        writer = self._writer
        if writer is None:
            return
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()

    def forget(self, viewer: SerialViewer) -> None:
        """No longer serve ``viewer``."""
        self._viewers.discard(viewer)

    def close(self) -> None:
        """End all viewers."""
        for viewer in list(self._viewers):
            viewer.close()

    def _spread(self, chunk: bytes) -> None:
        self._past += chunk
        del self._past[:-_HISTORY_BYTES]
        for viewer in list(self._viewers):
            viewer.offer(chunk)
