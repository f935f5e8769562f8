"""The short requests of the API: the machine, what can be done with it, and what can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from quarterdeck import __version__
from quarterdeck.console import body
from quarterdeck.console.access import view_only
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Access, Answer, Call, Handler, Parameter, Route

_LOGS = ("serial", "qemu", "supervisor")
_PRIVATE_LOGS = frozenset({"qemu", "supervisor"})
"""They name paths and helpers of the host; a view-only session sees the guest only."""


async def machine(call: Call) -> web.StreamResponse:
    """Describe the machine."""
    return _machine(call, 200)


async def session(call: Call) -> web.StreamResponse:
    """Say what this session may do."""
    return web.json_response({"view_only": call.session.view_only})


async def metrics(call: Call) -> web.StreamResponse:
    """Return the samples of the last minutes."""
    return web.json_response(call.backend.metrics())


async def guest(call: Call) -> web.StreamResponse:
    """Return what the guest agent says."""
    return web.json_response(await call.backend.guest_facts())


async def screenshot(call: Call) -> web.StreamResponse:
    """Return the screen as it is now."""
    return web.Response(body=await call.backend.screenshot(), content_type="image/png")


async def keys(call: Call) -> web.StreamResponse:
    """Press and release one combination of keys."""
    fields = await body.read_object(call.request, ("keys",))
    await call.backend.send_keys(body.keys(fields))
    return web.Response(status=204)


async def log(call: Call) -> web.StreamResponse:
    """Return the end of a log; bytes that are no UTF-8 are passed as they are."""
    name = call.request.match_info["name"]
    if name not in _LOGS:
        raise RefusedError(404, "not-found", f"there is no such log; the logs are {', '.join(_LOGS)}")
    if call.session.view_only and name in _PRIVATE_LOGS:
        raise view_only()
    tail = call.backend.log_tail(name, body.log_size(call.request))
    return web.Response(body=tail, content_type="text/plain", charset="utf-8")


async def links(call: Call) -> web.StreamResponse:
    """Make a one-time link."""
    fields = await body.read_object(call.request, ("view_only",))
    url = call.console.new_link(body.flag(fields, "view_only"))
    return web.json_response({"url": url, "path": url[url.index("/login?") :]})


async def logout(call: Call) -> web.StreamResponse:
    """End this session, and its streams with it."""
    await body.read_object(call.request, ())
    answer = web.Response(status=204)
    if call.console.auth is not None and call.session.digest:
        call.console.auth.end(call.session)
        call.console.streams.end(call.session.digest)
        answer.del_cookie(call.console.auth.cookie, path="/", httponly=True, samesite="Strict")
    return answer


def _action(act: Callable[[Call], Awaitable[None]]) -> Handler:
    async def handle(call: Call) -> web.StreamResponse:
        await body.read_object(call.request, ())
        await act(call)
        return _machine(call, 202)

    return handle


def _timed_action(act: Callable[[Call, float | None], Awaitable[None]]) -> Handler:
    async def handle(call: Call) -> web.StreamResponse:
        fields = await body.read_object(call.request, ("timeout",))
        await act(call, body.timeout(fields))
        return _machine(call, 202)

    return handle


def _machine(call: Call, status: int) -> web.Response:
    private = not call.session.view_only
    described = {
        **call.backend.describe(private=private),
        "viewer_open": call.console.everybody,
        "view_only": call.session.view_only,
        "version": __version__,
    }
    return web.json_response(described, status=status)


def _read(path: str, handler: Handler, *, summary: str, answer: Answer) -> Route:
    return Route(
        method="GET", path=path, handler=handler, access=Access.VIEW, operation=f"get{path[1:].title()}", summary=summary, answer=answer
    )


def _act(name: str, handler: Handler, summary: str, *, takes: str = "Nothing") -> Route:
    return Route(
        method="POST",
        path=f"/machine/{name}",
        handler=handler,
        access=Access.CONTROL,
        operation=f"{name}Machine",
        summary=summary,
        answer=Answer(202, "It has begun; the machine as it is now.", "Machine"),
        body=takes,
    )


ROUTES = (
    _read("/machine", machine, summary="The machine", answer=Answer(200, "The machine as it is now.", "Machine")),
    _act("start", _action(lambda call: call.backend.start()), "Start the machine"),
    _act(
        "stop",
        _timed_action(lambda call, timeout: call.backend.stop(timeout, stay=call.from_page)),
        "Shut the guest down: agent, power button, then force after the timeout",
        takes="Timeout",
    ),
    _act(
        "restart",
        _timed_action(lambda call, timeout: call.backend.restart(timeout)),
        "Shut the guest down and start the machine again",
        takes="Timeout",
    ),
    _act("reset", _action(lambda call: call.backend.reset()), "Press the reset button"),
    _act("pause", _action(lambda call: call.backend.pause()), "Stop the guest's processors"),
    _act("resume", _action(lambda call: call.backend.resume()), "Let the guest's processors run again"),
    _act("kill", _action(lambda call: call.backend.kill(stay=call.from_page)), "Pull the plug"),
    _read("/metrics", metrics, summary="Use of the host over the last 10 minutes", answer=Answer(200, "The samples.", "Metrics")),
    _read("/guest", guest, summary="What the guest agent says", answer=Answer(200, "The facts.", "Guest")),
    _read("/screenshot", screenshot, summary="The screen as a picture", answer=Answer(200, "The picture.", content_type="image/png")),
    Route(
        method="POST",
        path="/keys",
        handler=keys,
        access=Access.CONTROL,
        operation="sendKeys",
        summary="Press one combination of keys",
        answer=Answer(204, "The keys were pressed and released."),
        body="Keys",
    ),
    Route(
        method="GET",
        path="/logs/{name}",
        handler=log,
        access=Access.VIEW,
        operation="getLog",
        summary="The end of a log; view-only sessions may read only 'serial'",
        answer=Answer(200, "The last bytes of the log.", content_type="text/plain"),
        parameters=(
            Parameter("name", "path", "Which log.", {"type": "string", "enum": list(_LOGS)}),
            Parameter(
                "bytes", "query", "How many bytes.", {"type": "integer", "minimum": 1, "maximum": body.MAX_LOG, "default": body.DEFAULT_LOG}
            ),
        ),
    ),
    Route(
        method="POST",
        path="/links",
        handler=links,
        access=Access.CONTROL,
        operation="createLink",
        summary="A new link that logs in once",
        answer=Answer(200, "The link.", "Link"),
        body="NewLink",
    ),
    Route(
        method="POST",
        path="/logout",
        handler=logout,
        access=Access.VIEW,
        operation="logout",
        summary="End this session",
        answer=Answer(204, "The session has ended."),
        body="Nothing",
    ),
    _read("/session", session, summary="What this session may do", answer=Answer(200, "The session.", "Session")),
)
