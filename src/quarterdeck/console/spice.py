"""Connection files for SPICE clients, since there is no well-kept one that runs in a page."""

from __future__ import annotations

from aiohttp import web

from quarterdeck.console import body
from quarterdeck.console.origin import host_name
from quarterdeck.console.route import Access, Answer, Call, Route

CONTENT_TYPE = "application/x-virt-viewer"


async def connect(call: Call) -> web.StreamResponse:
    """Return a file that lets remote-viewer in, once and soon."""
    await body.read_object(call.request, ())
    host = host_name(call.request.headers.get("Host", "")) if call.from_page else None
    text = await call.backend.spice.connection_file(host)
    headers = {"Content-Disposition": 'attachment; filename="machine.vv"'}
    return web.Response(body=text.encode(), content_type=CONTENT_TYPE, headers=headers)


ROUTES = (
    Route(
        method="POST",
        path="/spice",
        handler=connect,
        access=Access.CONTROL,
        operation="openSpice",
        summary="A file with which remote-viewer opens the screen by SPICE, within two minutes",
        answer=Answer(200, "The file.", content_type=CONTENT_TYPE),
        body="Nothing",
    ),
)
