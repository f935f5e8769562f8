"""What the two WebSockets have in common: options, and ending them cleanly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, web

_HEARTBEAT = 60.0
"""Seconds between pings; a peer that stays silent for half of that after one is gone."""
_GOODBYE = 2.0
"""Seconds that the peer gets to answer a close."""

_log = logging.getLogger(__name__)


def accept(max_message: int, protocols: tuple[str, ...] = ()) -> web.WebSocketResponse:
    """Return a WebSocket that takes messages of up to ``max_message`` bytes; never compressed, the pixels are already."""
    return web.WebSocketResponse(compress=False, max_msg_size=max_message, heartbeat=_HEARTBEAT, timeout=_GOODBYE, protocols=protocols)


async def run_until(ended: asyncio.Event, *pumps: Coroutine[Any, Any, WSCloseCode]) -> WSCloseCode:
    """Run all pumps until one of them ends or ``ended`` is set; return the code to close with."""
    over = asyncio.ensure_future(ended.wait())
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait({over, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        return next((_code(task) for task in tasks if task.done()), WSCloseCode.GOING_AWAY)
    finally:
        for task in (over, *tasks):
            task.cancel()
        await asyncio.gather(over, *tasks, return_exceptions=True)


async def close(socket: web.WebSocketResponse, request: web.Request, code: WSCloseCode) -> None:
    """Close the WebSocket; a peer that does not read is cut off."""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(2 * _GOODBYE):
            await socket.close(code=code)
            return
    if request.transport is not None:
        request.transport.abort()


def _code(task: asyncio.Task[WSCloseCode]) -> WSCloseCode:
    try:
        return task.result()
    except (ConnectionError, TimeoutError, EOFError):
        return WSCloseCode.GOING_AWAY
    except Exception:  # noqa: BLE001 - the answer has begun, so no middleware can turn this into one
        _log.exception("a WebSocket failed")
        return WSCloseCode.INTERNAL_ERROR
