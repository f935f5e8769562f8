"""The OpenAPI 3.1 description of the API, made from the routes themselves so that it cannot drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from quarterdeck import __version__
from quarterdeck.console.route import Access, Answer, Call, Parameter, Route
from quarterdeck.console.schemas import SCHEMAS

_ERROR = {"description": "What went wrong.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
_INTRODUCTION = (
    "One machine and its console. On the machine's Unix socket no login is needed. On the viewer port every request needs the cookie that "
    "a one-time link sets, and requests that change something must carry the Origin of the console's own page."
)


def describe(routes: Sequence[Route], *, prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document of ``routes``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Quarterdeck console", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": prefix}],
        "security": [{"session": []}, {}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "quarterdeck_session_PORT", "description": "PORT is the viewer port."}
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "responses": {
            str(route.answer.status): _answer(route.answer),
            **{str(status): _ERROR for status in _refusals(route)},
            "default": _ERROR,
        },
    }
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.body:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{route.body}"}}}
        operation["requestBody"] = {"required": bool(SCHEMAS[route.body]["required"]), "content": content}
    return operation


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.schema:
        described["content"] = {answer.content_type: {"schema": {"$ref": f"#/components/schemas/{answer.schema}"}}}
    elif answer.content_type and answer.status != 204:
        described["content"] = {answer.content_type: {}}
    return described


def _refusals(route: Route) -> list[int]:
    checked = bool(route.body or route.parameters)
    forbidden = route.own_origin or route.access is Access.CONTROL
    return [status for status, applies in ((400, checked), (401, True), (403, forbidden)) if applies]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


async def openapi(call: Call) -> web.StreamResponse:
    """Send the description."""
    return web.json_response(describe(call.console.routes, prefix=call.console.prefix))


ROUTES = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=openapi,
        access=Access.VIEW,
        operation="getDescription",
        summary="This description",
        answer=Answer(200, "An OpenAPI 3.1 document.", "Description"),
    ),
)
