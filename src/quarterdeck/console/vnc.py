"""The guest's screen: RFB between a WebSocket and QEMU's VNC socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from quarterdeck.console import websocket
from quarterdeck.console.rfb_filter import RfbError, ViewOnlyFilter
from quarterdeck.console.route import Access, Answer, Call, Route

_CHUNK = 256 << 10
"""Bytes read from QEMU at once; as much as asyncio takes from a socket in one call."""
_MAX_MESSAGE = 1 << 20
"""Largest WebSocket message from a viewer; the only long thing it sends is pasted text."""


async def vnc(call: Call) -> web.StreamResponse:
    """Connect the viewer with the screen until either side closes."""
    with call.console.streams.open(call.session.digest) as ended:
        reader, writer = await call.backend.open_vnc()
        socket = websocket.accept(_MAX_MESSAGE, protocols=("binary",))
        try:
            await socket.prepare(call.request)
            only = ViewOnlyFilter() if call.session.view_only else None
            code = await websocket.run_until(ended, _to_viewer(reader, socket), _to_qemu(socket, writer, only))
            await websocket.close(socket, call.request, code)
        finally:
            # Not close(): that would wait for a QEMU that does not read.
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
    return socket


async def _to_viewer(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> WSCloseCode:
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(data)
    return WSCloseCode.GOING_AWAY


async def _to_qemu(socket: web.WebSocketResponse, writer: asyncio.StreamWriter, only: ViewOnlyFilter | None) -> WSCloseCode:
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            return WSCloseCode.UNSUPPORTED_DATA
        try:
            data = message.data if only is None else only.feed(message.data)
        except RfbError:
            return WSCloseCode.POLICY_VIOLATION
        writer.write(data)
        await writer.drain()
    return WSCloseCode.OK


ROUTES = (
    Route(
        method="GET",
        path="/vnc",
        handler=vnc,
        access=Access.VIEW,
        operation="openVnc",
        summary="The screen: a WebSocket of RFB bytes; keys, pointer and clipboard of view-only sessions are dropped",
        answer=Answer(101, "A WebSocket with binary messages.", content_type=""),
        websocket=True,
    ),
)
