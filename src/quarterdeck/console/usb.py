"""Requests about USB devices of the host that a running guest has.

A page may see them; to hand them over is for the Unix socket alone: they are the host's, not the machine's.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from quarterdeck.console import body
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Access, Answer, Call, Handler, Route
from quarterdeck.errors import UsageError


async def _list(call: Call) -> web.StreamResponse:
    return web.json_response({"devices": call.backend.usb.to_json()})


async def _attach(call: Call) -> web.StreamResponse:
    return web.json_response(await call.backend.usb.attach(await _device(call)))


async def _detach(call: Call) -> web.StreamResponse:
    await call.backend.usb.detach(await _device(call))
    return web.Response(status=204)


async def _device(call: Call) -> str:
    if call.from_page:
        raise RefusedError(403, "socket-only", "this is possible on the host only", hint="use qd there")
    fields: dict[str, Any] = await body.read_object(call.request, ("device",))
    device = body.text(fields, "device")
    if device is None:
        raise UsageError("invalid-body", "device is missing", hint="give VENDOR:PRODUCT or BUS.PORT")
    return device


def _post(action: str, handler: Handler, *, summary: str, answer: Answer) -> Route:
    return Route(
        method="POST",
        path=f"/usb/{action}",
        handler=handler,
        access=Access.CONTROL,
        operation=f"{action}Usb",
        summary=f"{summary}; on the Unix socket only",
        answer=answer,
        body="UsbChoice",
    )


ROUTES = (
    Route(
        method="GET",
        path="/usb",
        handler=_list,
        access=Access.CONTROL,
        operation="getUsb",
        summary="The USB devices of the host, and those that the guest has or waits for",
        answer=Answer(200, "The devices.", "UsbDevices"),
    ),
    _post(
        "attach",
        _attach,
        summary="Give a USB device of the host to the guest, and again whenever it is plugged in",
        answer=Answer(200, "The device.", "UsbDevice"),
    ),
    _post("detach", _detach, summary="Take a USB device from the guest", answer=Answer(204, "The guest does not have it any more.")),
)
