"""The HTTP client of catalogue and downloads.

Proxies and ``~/.netrc`` are those of the environment, as with curl. Bodies are taken as they are: no Content-Encoding
is asked for and none is undone, since a checksum is about the bytes that the publisher wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from quarterdeck import __version__
from quarterdeck.errors import MediaError
from quarterdeck.media.fetch import address, failure
from quarterdeck.media.fetch.failure import FetchError

_REDIRECTS = 10
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_CONNECT_SECONDS = 30.0
_SILENCE_SECONDS = 60.0
"""Longest time without a byte before a connection counts as broken."""
_PAGE_SECONDS = 120.0
_BUFFER = 1 << 20
PAGE_LIMIT = 4 << 20

_T = TypeVar("_T")


@dataclass(frozen=True)
class Page:
    """A small document: the URL that it came from in the end, its bytes and the headers of the answer."""

    url: str
    body: bytes
    headers: CIMultiDictProxy[str]


@dataclass(frozen=True)
class Patience:
    """How often what may work later is tried, and the seconds before the second try; each further pause is twice as long."""

    attempts: int = 5
    first: float = 0.5
    longest: float = 15.0

    def pause(self, failures: int, asked: float = 0.0) -> float:
        """Return the seconds to wait after ``failures`` tries; a little is left to chance, so that clients do not come back all at once."""
        own = min(self.first * 2.0 ** (failures - 1), self.longest)
        return max(asked, own * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


class Http:
    """An HTTP client; use it as an async context manager.

    Args:
        ca_file: certificates (PEM) that are trusted beside those of the system; ``SSL_CERT_FILE`` replaces the latter.
        patience: how often to try again.
        silence: seconds without a byte after which a connection counts as broken.
    """

    def __init__(self, *, ca_file: Path | None = None, patience: Patience | None = None, silence: float = _SILENCE_SECONDS) -> None:
        self.patience = patience or Patience()
        self._ca_file = ca_file
        self._silence = silence
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=await asyncio.to_thread(_trust, self._ca_file), limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._silence),
            headers={"User-Agent": f"quarterdeck/{__version__}", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=True,
            read_bufsize=_BUFFER,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def read(self, url: str, *, limit: int = PAGE_LIMIT, plain: bool = False) -> Page:
        """Return the document at ``url``, of at most ``limit`` bytes; https only, unless it is this host.

        ``plain`` allows http: for what proves itself, such as a signature.

        Raises:
            UsageError: not a URL.
            MediaError: it is not encrypted, too large, or cannot be had (:class:`FetchError`).
        """
        start = address.parse_url(url)
        if not plain:
            address.check_encrypted(start)
        return await self.patiently(lambda: self._read(start, limit, plain))

    async def patiently(self, action: Callable[[], Awaitable[_T]]) -> _T:
        """Return what ``action`` returns; repeat it while its failure may pass."""
        failures = 0
        while True:
            try:
                return await action()
            except FetchError as error:
                failures += 1
                if not error.transient or failures >= self.patience.attempts:
                    raise
                await asyncio.sleep(self.patience.pause(failures, error.wait))

    async def _read(self, url: URL, limit: int, plain: bool) -> Page:
        try:
            async with asyncio.timeout(_PAGE_SECONDS), self.answer(url, plain=plain) as response:
                if response.status != 200:
                    raise failure.of_status(response.url, response.status, response.headers)
                if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", "x-gzip", ""):
                    raise MediaError("page-packed", f"{address.shown(url)} comes packed, although that was not asked for")
                body = await _body(response, limit)
                return Page(address.shown(response.url), body, response.headers)
        except TimeoutError as error:
            raise failure.of_exception(url, error) from error

    @contextlib.asynccontextmanager
    async def answer(
        self, url: URL, *, headers: Mapping[str, str] | None = None, plain: bool = False
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer to one GET, whatever its status, at the end of all redirects; ``response.url`` says where that is.

        ``plain`` lets redirects lead to http. What breaks inside the ``with`` block becomes a :class:`FetchError` too.

        Raises:
            MediaError: a redirect leads where none may.
            FetchError: no answer.
        """
        for _ in range(_REDIRECTS + 1):
            try:
                async with self._request(url, headers) as response:
                    location = response.headers.get("Location", "")
                    if response.status not in _REDIRECT_STATUSES or not location:
                        yield response
                        return
                    url = address.follow(url, location, plain=plain)
            except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
                raise failure.of_exception(url, error) from error
        raise MediaError(
            "redirect-loop", f"{address.shown(url)} redirects on and on", reason=f"more than {_REDIRECTS} redirects", hint="check the URL"
        )

    def _request(self, url: URL, headers: Mapping[str, str] | None) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        assert self._session is not None, "used outside its with block"
        return self._session.get(url, headers=headers, allow_redirects=False)


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    """Return what is trusted; True for what aiohttp trusts by itself, which are the system's certificates, read already."""
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise MediaError("ca-file-unusable", f"the certificates in {ca_file} cannot be used", reason=str(error)) from error
    return context


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            raise MediaError("page-too-large", f"{address.shown(response.url)} is too large", reason=f"more than {limit} bytes")
        parts.append(part)
    return b"".join(parts)
