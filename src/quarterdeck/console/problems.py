"""From exceptions to HTTP answers: the only place that knows which error is which status."""

from __future__ import annotations

import json
import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from quarterdeck.console import pages
from quarterdeck.errors import DeadlineError, MediaError, QemuError, QuarterdeckError, TargetError, UsageError

API = "/api/"
_CONFLICTS = frozenset({"wrong-state", "no-screen", "no-spice", "no-serial", "no-viewer", "no-agent", "storage-busy"})
_HTTP_ERRORS = {
    404: ("not-found", "there is nothing at this address", "GET /api/v1/openapi.json lists what there is"),
    405: ("method-not-allowed", "this address does not answer that method", "GET /api/v1/openapi.json lists what there is"),
    413: ("too-large", "the request is too large", "send less"),
}

_log = logging.getLogger(__name__)


class RefusedError(UsageError):
    """A request that is refused, with the HTTP status to say so."""

    def __init__(self, status: int, key: str, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(key, message, reason=reason, hint=hint)
        self.status = status


def status_of(error: QuarterdeckError) -> int:
    """Return the HTTP status that stands for ``error``."""
    if isinstance(error, RefusedError):
        return error.status
    if error.key in _CONFLICTS:
        return 409
    match error:
        case UsageError():
            return 400
        case DeadlineError():
            return 504
        case QemuError() | TargetError() | MediaError():
            return 502
        case _:
            return 500


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failed request with the error as JSON below ``/api``, as a page elsewhere."""
    try:
        return await handler(request)
    except QuarterdeckError as error:
        return _answer(request, status_of(error), error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _http_error(request, error)
    except ConnectionError:
        raise  # the client went away; there is nobody to answer
    except Exception:  # noqa: BLE001 - the last resort of every request
        # The details stay in the log: they may hold paths or secrets.
        _log.exception("%s %s failed", request.method, request.path)
        failure = QuarterdeckError("internal", "something went wrong inside the console", hint="the supervisor's log says more")
        return _answer(request, 500, failure)


def _http_error(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    key, message, hint = _HTTP_ERRORS.get(error.status, ("bad-request", error.reason, ""))
    answer = _answer(request, error.status, UsageError(key, message, hint=hint))
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _answer(request: web.Request, status: int, error: QuarterdeckError) -> web.Response:
    if request.path.startswith(API):
        # ASCII only: a message may quote what the client sent, lone surrogates included.
        return web.json_response({"error": error.to_json()}, status=status, dumps=json.dumps)
    return pages.problem(status, error.message, error.hint)
