"""Server-sent events: everything that happens to the machine, as it happens.

Source: the WHATWG HTML standard, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from quarterdeck.console.route import Access, Answer, Call, Parameter, Route
from quarterdeck.runtime.events import Record

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the stream and a lost client is noticed."""
PATIENCE = 30.0
"""Seconds after which a client that does not read is dropped."""
_COMMENT = b":\n\n"

_log = logging.getLogger(__name__)


async def events(call: Call) -> web.StreamResponse:
    """Send the history after ``Last-Event-ID``, then what is new, until the client, the session or the console ends."""
    with call.console.streams.open(call.session.digest) as ended:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await answer.prepare(call.request)
        try:
            await _send(answer, call, ended)
        except ConnectionError:
            pass
        except Exception as error:  # noqa: BLE001 - the answer has begun, so no middleware can turn this into one
            _cut_off(call.request, error)
    return answer


def _cut_off(request: web.Request, error: Exception) -> None:
    """End a stream that cannot go on; a close would first wait for what the client does not read."""
    if not isinstance(error, TimeoutError):
        _log.error("an event stream failed", exc_info=error)
    if request.transport is not None:
        request.transport.abort()


async def _send(answer: web.StreamResponse, call: Call, ended: asyncio.Event) -> None:
    """Write records and comments until the log or the stream ends.

    The log itself is the queue: a slow client makes ``follow`` wait, and finds later what the log has kept until then.
    """
    base = call.console.first_event
    records = call.backend.events.follow(after=_last_event(call.request, base))
    over = asyncio.ensure_future(ended.wait())
    coming = asyncio.ensure_future(_next(records))
    try:
        await _write(answer, _COMMENT)
        while True:
            await asyncio.wait({coming, over}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                record = coming.result()
                if record is None:
                    return
                await _write(answer, encode(record, base))
                coming = asyncio.ensure_future(_next(records))
            elif over.done():
                return
            else:
                await _write(answer, _COMMENT)
    finally:
        over.cancel()
        coming.cancel()
        await asyncio.gather(over, coming, return_exceptions=True)


def encode(record: Record, base: int) -> bytes:
    """Return one event in the stream's format; JSON without spaces has no line breaks."""
    data = json.dumps(record.data, separators=(",", ":"))
    return f"id: {base + record.id}\nevent: {record.type}\ndata: {data}\n\n".encode()


def _last_event(request: web.Request, base: int) -> int:
    """Return the number in our log after which the client wants to go on.

    The numbers that clients see start with the supervisor's start time, so that they keep growing over its restarts; one from before
    means that the client has seen nothing of this log.
    """
    text = request.headers.get("Last-Event-ID", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    return max(0, number - base)


async def _next(records: AsyncIterator[Record]) -> Record | None:
    return await anext(records, None)


async def _write(answer: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await answer.write(data)


ROUTES = (
    Route(
        method="GET",
        path="/events",
        handler=events,
        access=Access.VIEW,
        operation="followEvents",
        summary="What happens to the machine: history first, then live",
        answer=Answer(200, "Server-sent events; see the schema Event for their data.", content_type="text/event-stream"),
        parameters=(Parameter("Last-Event-ID", "header", "Go on after this event.", {"type": "string"}),),
    ),
)
