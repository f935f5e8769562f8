"""Bytes from servers into a file, over several connections.

Each connection takes the first piece that is neither there nor on the way, so the file fills from the front and can be
read meanwhile. What breaks goes back and is taken again; a server that does not want so many connections gets fewer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.errors import QuarterdeckError
from quarterdeck.media.fetch.address import parse_url, shown
from quarterdeck.media.fetch.answer import Part, changed, empty, read_answer, refuse_page
from quarterdeck.media.fetch.failure import FetchError
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.journal import Identity
from quarterdeck.media.fetch.model import Wanted
from quarterdeck.media.fetch.partfile import PartFile
from quarterdeck.media.fetch.ranges import Ranges

LARGEST = 1 << 40
"""Bytes; nothing larger is fetched, whatever a server says."""
_SMALLEST_PIECE = 2 << 20
_LARGEST_PIECE = 32 << 20
_LAST_PIECE = 1 << 20
_PIECES = 64
_BATCH = 1 << 20
_BATCH_SECONDS = 0.5
_AGAIN = "run it again: it goes on where it stopped"
_PROGRESS = 64 << 10
"""Bytes after which failures before them are forgotten."""
_CROWDED = frozenset({"http-403", "http-429", "http-503", "host-unreachable", "range-ignored"})
"""Failures that mean that a server does not want so many connections, as long as others are open."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who is told of progress: the size in bytes once it is known (may refuse by raising), and each growth."""

    size: Callable[[int | None], None]
    growth: Callable[[], None]
    report: Reporter


@dataclass
class Piece:
    """Bytes that one connection fetches; a server that sends everything makes it longer."""

    start: int
    end: int


class Transfer:
    """One download: which bytes are there, and the connections that bring the others."""

    def __init__(self, wanted: Wanted, http: Http, *, part: PartFile, executor: Executor, connections: int, listener: Listener) -> None:
        self._wanted = wanted
        self._http = http
        self._part = part
        self._executor = executor
        self._connections = connections
        self._listener = listener
        self._busy = Ranges()
        self._ranges = True
        self._active = 0
        self._failures = 0
        self._since_failure = 0
        self.done = Ranges()
        self.identity: Identity | None = None
        self.size: int | None = None

    def resume(self, identity: Identity, written: Ranges) -> None:
        """Take over what an earlier run left."""
        self.identity, self.done, self.size = identity, written, identity.total

    @property
    def complete(self) -> bool:
        """Whether all bytes are there."""
        return self.size is not None and self.done.prefix >= self.size

    async def run(self) -> None:
        """Fetch what is missing, from the first URL that has it.

        Raises:
            FetchError: no URL has it; or the file changed, and all of it must be fetched again (``download-changed``).
            HostError: it does not fit, or cannot be written.
        """
        urls = [parse_url(url) for url in self._wanted.urls]
        for number, url in enumerate(urls, 1):
            try:
                await self._fetch_all(url)
            except FetchError as error:
                if number == len(urls) or error.key == "download-changed":
                    raise
                text = f"{error.message} ({error.reason}); trying {shown(urls[number])}"
                self._listener.report(Message(Level.WARNING, text))
            else:
                return

    async def _fetch_all(self, url: URL) -> None:
        self._failures = self._since_failure = 0
        self._ranges = True
        while not self.complete:
            self._busy = Ranges()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._lead(url, group))
            except BaseExceptionGroup as problems:
                raise first_error(problems) from None

    async def _lead(self, url: URL, group: asyncio.TaskGroup) -> None:
        """The first connection; once it knows the size it gets company."""
        piece = self._take()
        ready = asyncio.Event()
        if self.size is not None:
            ready.set()
        first = group.create_task(self._work(url, piece, ready))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait([first, waiting], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        for _ in range(self._connections - 1):
            if not first.done() and self.size is not None and (more := self._take()) is not None:
                group.create_task(self._work(url, more, ready))

    async def _work(self, url: URL, piece: Piece | None, ready: asyncio.Event) -> None:
        """Fetch pieces until none is left or the server wants fewer connections."""
        self._active += 1
        try:
            while piece is not None and await self._try(url, piece, ready):
                piece = self._take()
        finally:
            self._active -= 1

    def _take(self) -> Piece | None:
        """Return the first piece that nobody has or fetches, and mark it."""
        limit = self.size if self.size is not None else self.done.prefix + _SMALLEST_PIECE
        taken = Ranges([*self.done.as_list(), *self._busy.as_list()])
        length = min(max(limit // _PIECES, _SMALLEST_PIECE), _LARGEST_PIECE)
        if self.size is not None and self.size > _PIECES * _LAST_PIECE:
            # Shorter ones towards the end, so that whoever reads from the front is not left with much when the last one is there.
            length = min(length, max((limit - taken.count) // (2 * self._connections), _LAST_PIECE))
        gap = taken.gap(limit, length)
        if gap is None:
            return None
        self._busy.add(*gap)
        return Piece(*gap)

    async def _try(self, url: URL, piece: Piece, ready: asyncio.Event) -> bool:
        """Fetch a piece, or as much of it as comes; return whether this connection is to go on."""
        try:
            await self._fetch(url, piece, ready)
        except FetchError as error:
            self._busy.remove(piece.start, piece.end)
            if error.key in _CROWDED and self._active > 1:
                return False
            await self._endure(error)
        else:
            self._busy.remove(piece.start, piece.end)
            self._failures = 0
        return True

    async def _endure(self, error: FetchError) -> None:
        """Wait before the next try, or raise the failure if it will not pass."""
        self._failures += 1
        self._since_failure = 0
        patience, active = self._http.patience, max(self._active, 1)
        if not error.transient or self._failures >= patience.attempts * active:
            raise error
        await asyncio.sleep(patience.pause(-(-self._failures // active), error.wait))

    async def _fetch(self, url: URL, piece: Piece, ready: asyncio.Event) -> None:
        async with self._http.answer(url, headers=self._headers(piece), plain=True) as response:
            part = read_answer(response, piece.start)
            if part.ranged and part.identity.total is None:
                self._ranges = False
                raise FetchError(
                    "range-wrong", f"{shown(response.url)} does not say how large the file is", hint="try another mirror", transient=True
                )
            self._recognise(response, part.identity)
            if not part.ranged:
                self._take_all(response, piece)
            if self.size is not None:
                ready.set()
            await self._store(response, part, piece)

    def _take_all(self, response: aiohttp.ClientResponse, piece: Piece) -> None:
        """The server sends everything from the first byte on: one connection is enough for that."""
        if self._active > 1:
            raise FetchError(
                "range-ignored", f"{shown(response.url)} sends more than it was asked for", hint="try another mirror", transient=True
            )
        if self.size is not None:
            piece.end = self.size
            self._busy.add(piece.start, piece.end)

    def _headers(self, piece: Piece) -> dict[str, str]:
        if not self._ranges:
            return {}
        headers = {"Range": f"bytes={piece.start}-{piece.end - 1}"}
        # Mirrors have different tags for the same file; where the end is verified, a 206 with another tag is judged by us.
        if self.identity is not None and self.identity.if_range and not self._wanted.verifiable:
            headers["If-Range"] = self.identity.if_range
        return headers

    def _recognise(self, response: aiohttp.ClientResponse, identity: Identity) -> None:
        """Learn which file it is, or make sure that it is still the same."""
        if self.identity is not None:
            if not self.identity.same(identity, verifiable=self._wanted.verifiable):
                raise changed(shown(response.url))
            return
        self._check_size(response, identity.total)
        self._listener.size(identity.total)
        self.identity, self.size = identity, identity.total

    def _check_size(self, response: aiohttp.ClientResponse, total: int | None) -> None:
        if total == 0:
            raise empty(response)
        expected = self._wanted.size
        if total is not None and expected is not None and total != expected:
            reason = f"it has {total} bytes, {expected} were announced"
            raise FetchError(
                "size-wrong", f"{shown(response.url)} is not the file that was wanted", reason=reason, hint="try another mirror"
            )
        if (total or 0) > LARGEST:
            raise FetchError(
                "download-too-large", f"{shown(response.url)} is too large", reason=f"it has {total} bytes", hint="check the URL"
            )

    async def _store(self, response: aiohttp.ClientResponse, part: Part, piece: Piece) -> None:
        """Write the bytes of ``piece`` out of a body; without a known size all that comes."""
        url, offset = shown(response.url), part.start
        limit = piece.end if self.size is not None else self._wanted.size or LARGEST
        async for data in _batches(response):
            if offset == 0:
                refuse_page(url, data)
            fresh = data[max(0, piece.start - offset) : max(0, limit - offset)]
            if fresh:
                await self._write(max(offset, piece.start), fresh)
            offset += len(data)
            if offset > limit or (offset == limit and not part.ranged and self.size is not None):
                break
        if self.size is None:
            self._learn_end(url, offset)
        elif offset < min(limit, part.end or limit):
            raise FetchError("connection-broken", f"{url} ended too early", reason=f"at byte {offset}", hint=_AGAIN, transient=True)

    def _learn_end(self, url: str, offset: int) -> None:
        """The end of a body without Content-Length is the end of the file."""
        expected = self._wanted.size
        if offset > (expected or LARGEST):
            reason = f"it goes on after {expected or LARGEST} bytes"
            raise FetchError("download-too-large", f"{url} does not end where it should", reason=reason, hint="try another mirror")
        if offset == 0:
            raise FetchError("download-empty", f"{url} is empty", hint="try another mirror")
        if expected not in (None, offset):
            raise FetchError(
                "connection-broken", f"{url} ended too early", reason=f"at byte {offset} of {expected}", hint=_AGAIN, transient=True
            )
        assert self.identity is not None
        self.size = offset
        self.identity = replace(self.identity, total=offset)

    async def _write(self, offset: int, data: bytes) -> None:
        if self.size is None:
            self._listener.size(None)
        await asyncio.get_running_loop().run_in_executor(self._executor, self._part.write, offset, data)
        self.done.add(offset, offset + len(data))
        self._since_failure += len(data)
        if self._since_failure >= _PROGRESS:
            self._failures = 0
        self._listener.growth()


async def _batches(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Gather what comes in small portions: fewer writes, but nothing is held back for long."""
    parts: list[bytes] = []
    size, since = 0, time.monotonic()
    async for data in response.content.iter_any():
        parts.append(data)
        size += len(data)
        if size >= _BATCH or time.monotonic() - since > _BATCH_SECONDS:
            yield b"".join(parts)
            parts, size, since = [], 0, time.monotonic()
    if parts:
        yield b"".join(parts)


def first_error(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error that matters of several tasks: a user's if there is one."""
    flat = list(_flatten(problems))
    return next((error for error in flat if isinstance(error, QuarterdeckError)), flat[0])


def _flatten(problems: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in problems.exceptions:
        found += _flatten(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
