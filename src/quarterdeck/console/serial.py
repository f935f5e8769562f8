"""The guest's serial console as a WebSocket of raw bytes."""

from __future__ import annotations

from aiohttp import WSCloseCode, WSMsgType, web

from quarterdeck.console import websocket
from quarterdeck.console.backend import SerialClient
from quarterdeck.console.route import Access, Answer, Call, Route

_MAX_MESSAGE = 64 << 10
"""Largest message that may be typed at once, in bytes."""


async def serial(call: Call) -> web.StreamResponse:
    """Show what the guest writes, and type what the viewer sends unless the session may only watch."""
    with call.console.streams.open(call.session.digest) as ended:
        client = call.backend.attach_serial()
        socket = websocket.accept(_MAX_MESSAGE)
        try:
            await socket.prepare(call.request)
            typed = _to_guest(socket, None if call.session.view_only else client)
            code = await websocket.run_until(ended, _to_viewer(client, socket), typed)
            await websocket.close(socket, call.request, code)
        finally:
            client.close()
    return socket


async def _to_viewer(client: SerialClient, socket: web.WebSocketResponse) -> WSCloseCode:
    async for data in client:
        await socket.send_bytes(data)
    return WSCloseCode.GOING_AWAY


async def _to_guest(socket: web.WebSocketResponse, client: SerialClient | None) -> WSCloseCode:
    async for message in socket:
        # Terminals in browsers send typed text as text and pasted binary as binary.
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return WSCloseCode.UNSUPPORTED_DATA
        if client is not None:
            await client.send(message.data.encode() if message.type is WSMsgType.TEXT else message.data)
    return WSCloseCode.OK


ROUTES = (
    Route(
        method="GET",
        path="/serial",
        handler=serial,
        access=Access.VIEW,
        operation="openSerial",
        summary="The serial console: a WebSocket of bytes, first the tail of the log; view-only sessions cannot send",
        answer=Answer(101, "A WebSocket with binary messages.", content_type=""),
        websocket=True,
    ),
)
