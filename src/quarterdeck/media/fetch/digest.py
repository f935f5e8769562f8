"""Checksums that are computed while the file still arrives: over its beginning, as far as that is without gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Executor

from quarterdeck.media.fetch.model import new_hash
from quarterdeck.media.fetch.partfile import PartFile

_PIECE = 1 << 20


class Digest:
    """Follows the growing file with one or more algorithms."""

    def __init__(self, part: PartFile, algorithms: Iterable[str]) -> None:
        self._part = part
        self._hashes = {algorithm: new_hash(algorithm) for algorithm in algorithms}
        self._news = asyncio.Event()
        self._prefix = 0
        self._ended = False
        self.position = 0

    def advance(self, prefix: int) -> None:
        """Say that the bytes before ``prefix`` are there."""
        self._prefix = prefix
        self._news.set()

    def end(self) -> None:
        """Say that no more follow."""
        self._ended = True
        self._news.set()

    async def follow(self, executor: Executor) -> None:
        """Read what comes until the end.

        Raises:
            MediaError: the file cannot be read.
        """
        loop = asyncio.get_running_loop()
        while not (self._ended and self.position >= self._prefix):
            await self._news.wait()
            self._news.clear()
            while self.position < self._prefix:
                await loop.run_in_executor(executor, self._read, min(self._prefix, self.position + 16 * _PIECE))

    def value(self, algorithm: str) -> str:
        """Return the checksum in hexadecimal."""
        return str(self._hashes[algorithm].hexdigest())

    def _read(self, until: int) -> None:
        while self.position < until:
            data = self._part.read(self.position, min(_PIECE, until - self.position))
            if not data:
                raise EOFError(f"{self._part.path} became shorter")
            for running in self._hashes.values():
                running.update(data)
            self.position += len(data)
