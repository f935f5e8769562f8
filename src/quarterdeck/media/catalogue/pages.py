"""The publishers' pages: read once for everybody who asks, over the network or from a server that plays all publishers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from yarl import URL

from quarterdeck.errors import UsageError
from quarterdeck.media.fetch import address, failure
from quarterdeck.media.fetch.http import Http

_LIMIT = 32 << 20
"""The index of Ubuntu's cloud images has several MiB."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Text:
    """A page: its URL at the publisher and its bytes."""

    url: str
    body: bytes

    @property
    def text(self) -> str:
        """The page as text, what is not UTF-8 replaced."""
        return self.body.decode(errors="replace")


class Pages:
    """Pages by URL.

    Args:
        http: the client.
        mirror: URL of a server that holds the files of all publishers, their host names being the first part of its paths; empty
            for the publishers themselves.
    """

    def __init__(self, http: Http, *, mirror: str = "") -> None:
        self._http = http
        self._mirror = str(address.parse_url(mirror)).rstrip("/") if mirror else ""
        self._reading: dict[str, asyncio.Task[Text]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def place(self, url: str) -> str:
        """Return where the file at the publisher's ``url`` is to be had.

        Raises:
            UsageError: not a URL.
            MediaError: it is not encrypted.
        """
        parsed = address.parse_url(url)
        address.check_encrypted(parsed)
        if not self._mirror:
            return url
        port = f":{parsed.port}" if parsed.explicit_port else ""
        return f"{self._mirror}/{parsed.host}{port}{parsed.raw_path_qs}"

    async def read(self, url: str) -> Text:
        """Return the page at ``url``.

        Raises:
            UsageError: not a URL.
            MediaError: it cannot be had.
        """
        if url not in self._reading:
            self._reading[url] = asyncio.create_task(self._read(url))
        return await asyncio.shield(self._reading[url])

    async def end(self, url: str) -> str:
        """Return where ``url`` leads after all redirects.

        Raises:
            UsageError: not a URL.
            MediaError: there is no answer.
        """
        reached = await self._http.patiently(lambda: self._look(URL(self.place(url))))
        return self.original(str(reached))

    async def look(self, url: str) -> int | None:
        """Return the size in bytes of the file at ``url``, None when the server does not say; fetches nothing of it.

        Raises:
            UsageError: not a URL.
            MediaError: it is not there.
        """
        sizes: list[int | None] = []
        await self._http.patiently(lambda: self._look(URL(self.place(url)), sizes))
        return sizes[-1]

    async def close(self) -> None:
        """End what is still being read."""
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _read(self, url: str) -> Text:
        async with self._slots:
            page = await self._http.read(self.place(url), limit=_LIMIT)
        return Text(url, page.body)

    async def _look(self, url: URL, sizes: list[int | None] | None = None) -> URL:
        async with self._slots, self._http.answer(url, headers={"Range": "bytes=0-0"}) as response:
            if response.status not in (200, 206):
                raise failure.of_status(response.url, response.status, response.headers)
            if sizes is not None:
                sizes.append(_size(response.headers.get("Content-Range", ""), response.content_length if response.status == 200 else None))
            return response.url

    def original(self, url: str) -> str:
        """Return the publisher's URL of what :meth:`place` returned."""
        below = url.removeprefix(f"{self._mirror}/") if self._mirror else url
        return f"https://{below}" if below != url else url


def _size(content_range: str, length: int | None) -> int | None:
    total = content_range.rpartition("/")[2]
    return int(total) if total.isdigit() else length


def check_mirror(url: str) -> str:
    """Return the URL of a mirror.

    Raises:
        UsageError: it is none.
    """
    parsed = address.parse_url(url)
    if parsed.query_string:
        raise UsageError("invalid-mirror", f"'{url}' cannot be a mirror", reason="it has a query", hint="write https://HOST/PATH")
    return str(parsed).rstrip("/")
