"""Work that nobody waits for any more: it ends when whoever asked for it hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

_T = TypeVar("_T")
_POLL_SECONDS = 0.5


async def while_connected(request: web.Request, work: Awaitable[_T]) -> _T:
    """Return what ``work`` returns; cancel it, and wait until it has ended, when the client is gone.

    aiohttp lets handlers go on then (documentation, "Web Handler Cancellation") and takes the request's transport away.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=_POLL_SECONDS))[0]:
            if request.transport is None:
                break
    finally:
        task.cancel()  # nothing happens to one that has ended
    return await task
