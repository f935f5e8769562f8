"""What the headers of an answer say about the file and about the part of it that follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import aiohttp

from quarterdeck.media.fetch import failure
from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.failure import FetchError
from quarterdeck.media.fetch.journal import Identity

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})")
_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True)
class Part:
    """The bytes that follow: from ``start`` up to ``end`` (None: to the end of the body), and of which file.

    ``ranged`` is false when the server ignored that only a part was asked for.
    """

    start: int
    end: int | None
    identity: Identity
    ranged: bool


def read_answer(response: aiohttp.ClientResponse, wanted_start: int) -> Part:
    """Return what comes after the headers of a request for bytes from ``wanted_start`` on.

    Raises:
        FetchError: nothing of use.
    """
    if response.status == 206:
        return _partial(response, wanted_start)
    if response.status == 200:
        _refuse_page(response)
        length = response.content_length
        return Part(0, length, _identity(response, length), ranged=False)
    if response.status == 416 and (match := _UNSATISFIED.fullmatch(response.headers.get("Content-Range", ""))):
        raise empty(response) if match[1] == "0" else changed(shown(response.url))
    raise failure.of_status(response.url, response.status, response.headers)


def refuse_page(url: str, head: bytes) -> None:
    """Refuse a file that begins as a web page does.

    Raises:
        FetchError: it does.
    """
    if head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        raise _page(url)


def changed(url: str) -> FetchError:
    """Return the error of a file that is another one than a moment ago."""
    return FetchError("download-changed", f"{url} changed while it was downloaded", hint="run it again")


def empty(response: aiohttp.ClientResponse) -> FetchError:
    """Return the error of a file without content."""
    return FetchError("download-empty", f"{shown(response.url)} is empty", hint="try another mirror")


def _partial(response: aiohttp.ClientResponse, wanted_start: int) -> Part:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != wanted_start or int(match[2]) < wanted_start:
        url = shown(response.url)
        reason = f"asked for bytes from {wanted_start} on, it sends '{response.headers.get('Content-Range', '')}'"
        raise FetchError("range-wrong", f"{url} sends other bytes than asked for", reason=reason, hint="try another mirror")
    if wanted_start == 0:
        _refuse_page(response)
    total = None if match[3] == "*" else int(match[3])
    end = int(match[2]) + 1
    if total is not None and end > total:
        raise FetchError("range-wrong", f"{shown(response.url)} sends more than there is", reason=match[0], hint="try another mirror")
    return Part(wanted_start, end, _identity(response, total), ranged=True)


def _identity(response: aiohttp.ClientResponse, total: int | None) -> Identity:
    headers = response.headers
    place = f"{response.url.authority}{response.url.raw_path}"
    return Identity(place, headers.get("ETag", ""), headers.get("Last-Modified", ""), total)


def _refuse_page(response: aiohttp.ClientResponse) -> None:
    if response.content_type in ("text/html", "application/xhtml+xml") and "Content-Type" in response.headers:
        raise _page(shown(response.url))


def _page(url: str) -> FetchError:
    return FetchError(
        "download-is-page",
        f"{url} is a web page, not an image",
        reason="a login or a download page came instead of a file",
        hint="open it in a browser and take the URL of the file itself",
    )
