import asyncio
import contextlib
import json

import aiohttp
import pytest

from quarterdeck.console.app import PREFIX, ROUTES, create_app
from quarterdeck.console.schemas import SCHEMAS

pytestmark = pytest.mark.integration


def check(value, schema, place="$"):
    """Assert that ``value`` is what ``schema`` (the words of JSON Schema that we use) describes."""
    if "$ref" in schema:
        check(value, SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], place)
    if "oneOf" in schema:
        matching = [option for option in schema["oneOf"] if matches(value, option)]
        assert len(matching) == 1, place
    if "enum" in schema:
        assert value in schema["enum"], place
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(is_type(value, name) for name in wanted), f"{place} is {value!r}, not {wanted}"
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), place
        assert schema.get("additionalProperties", True) or set(value) <= set(schema["properties"]), place
        for name, part in schema.get("properties", {}).items():
            if name in value:
                check(value[name], part, f"{place}.{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            check(item, schema.get("items", {}), f"{place}[{number}]")


def matches(value, schema):
    try:
        check(value, schema)
    except AssertionError:
        return False
    return True


def is_type(value, name):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "null": value is None,
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "number": number,
        "integer": number and value == int(value),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[name]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.answer.schema and route.method == "GET"], ids=lambda route: route.path
)
async def test_answers_are_as_described(owner, local, route):
    for getter in (owner.get, local.get):
        async with getter(PREFIX + route.path) as answer:
            assert answer.status == route.answer.status
            check(await answer.json(), SCHEMAS[route.answer.schema])


async def test_the_application_has_the_described_routes_and_no_other(backend, owner):
    app = create_app(backend, auth=None)
    served = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    async with owner.get("/api/v1/openapi.json") as answer:
        document = await answer.json()
    described = {(method.upper(), PREFIX + path) for path, item in document["paths"].items() for method in item}
    assert served == described


async def test_the_machine_is_described_with_secrets_for_the_owner_only(owner, watcher, local):
    async with owner.get("/api/v1/machine") as answer:
        machine = await answer.json()
        assert machine["login"] == {"user": "debian", "password": "secret"}
        assert machine["view_only"] is False
        assert machine["version"]
    async with watcher.get("/api/v1/machine") as answer:
        machine = await answer.json()
        assert machine["login"] is None
        assert machine["view_only"] is True
    async with local.get("/api/v1/machine") as answer:
        assert (await answer.json())["login"]["password"] == "secret"


@pytest.mark.parametrize("action", ["start", "stop", "restart", "reset", "pause", "resume", "kill"])
async def test_actions_reach_the_machine(owner, local, watcher, backend, action):
    arguments = (None,) if action in ("stop", "restart") else ()
    async with owner.post(f"/api/v1/machine/{action}") as answer:
        assert answer.status == 202
        check(await answer.json(), SCHEMAS["Machine"])
    async with local.post(f"/api/v1/machine/{action}", json={}) as answer:
        assert answer.status == 202
    async with watcher.post(f"/api/v1/machine/{action}") as answer:
        assert answer.status == 403
        assert (await answer.json())["error"]["key"] == "view-only"
    assert backend.calls == [(action, *arguments)] * 2


async def test_timeouts_are_handed_over(local, backend):
    async with local.post("/api/v1/machine/stop", json={"timeout": 5}) as answer:
        assert answer.status == 202
    async with local.post("/api/v1/machine/restart", json={"timeout": 0.5}) as answer:
        assert answer.status == 202
    assert backend.calls == [("stop", 5.0), ("restart", 0.5)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/machine/stop", '{"timeout": -1}'),
        ("/machine/stop", '{"timeout": NaN}'),
        ("/machine/stop", "[]"),
        ("/machine/start", '{"timeout": 1}'),
        ("/keys", "{}"),
        ("/keys", '{"keys": "ctrl"}'),
        ("/links", '{"view_only": 1}'),
        ("/links", "{"),
        ("/logout", '{"x": 1}'),
    ],
)
async def test_bad_bodies_are_400_and_do_nothing(local, backend, path, body):
    async with local.post(f"/api/v1{path}", data=body) as answer:
        assert answer.status == 400
        check(await answer.json(), SCHEMAS["Error"])
    assert backend.calls == []


async def test_long_bodies_are_refused(local):
    async with local.post("/api/v1/machine/stop", data=b" " * (64 << 10)) as answer:
        assert answer.status == 413
        check(await answer.json(), SCHEMAS["Error"])


@pytest.mark.parametrize("case", ["wrong state", "usage", "deadline", "qemu", "unexpected"])
async def test_errors_have_their_status_and_shape(local, backend, errors, case, caplog):
    failure, status = errors[case]
    backend.failures["start"] = failure
    async with local.post("/api/v1/machine/start") as answer:
        assert answer.status == status
        text = await answer.text()
    check(json.loads(text), SCHEMAS["Error"])
    assert "/secret/path" not in text
    assert ("RuntimeError: /secret/path" in caplog.text) == (case == "unexpected")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"])
async def test_other_methods_are_405(local, method):
    async with local.request(method, "/api/v1/machine") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET"
        if method != "HEAD":
            check(await answer.json(), SCHEMAS["Error"])


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/machine/", "/api/v2/machine", "/api/", "/api/v1/logs/other"])
async def test_unknown_paths_are_404_json(local, owner, path):
    for getter in (local.get, owner.get):
        async with getter(path) as answer:
            assert answer.status == 404
            check(await answer.json(), SCHEMAS["Error"])


async def test_logs(owner, watcher, backend):
    async with owner.get("/api/v1/logs/qemu?bytes=3") as answer:
        assert answer.content_type == "text/plain"
        assert await answer.read() == b"e\xff\n"
    async with watcher.get("/api/v1/logs/serial") as answer:
        assert answer.status == 200
    for private in ("qemu", "supervisor"):
        async with watcher.get(f"/api/v1/logs/{private}") as answer:
            assert answer.status == 403
    assert backend.calls == [("log_tail", "qemu", 3), ("log_tail", "serial", 65536)]


async def test_keys_screenshot_and_guest(owner, watcher, backend):
    async with owner.post("/api/v1/keys", json={"keys": ["ctrl", "alt", "delete"]}) as answer:
        assert answer.status == 204
    async with watcher.post("/api/v1/keys", json={"keys": ["a"]}) as answer:
        assert answer.status == 403
    async with watcher.get("/api/v1/screenshot") as answer:
        assert answer.content_type == "image/png"
        assert (await answer.read()).startswith(b"\x89PNG")
    assert backend.calls == [("send_keys", "ctrl", "alt", "delete"), ("screenshot",)]


async def test_links_log_in(owner, watcher, local):
    async with local.post("/api/v1/links", json={"view_only": True}) as answer:
        link = await answer.json()
    check(link, SCHEMAS["Link"])
    assert link["url"] == owner.base + link["path"]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(link["url"]) as answer:
            assert answer.status == 200
        async with session.get(f"{owner.base}/api/v1/session") as answer:
            assert await answer.json() == {"view_only": True}
    async with watcher.post("/api/v1/links") as answer:
        assert answer.status == 403


async def test_the_socket_serves_neither_browsers_nor_pages(local):
    for headers in ({"Origin": "http://localhost"}, {"Sec-Fetch-Site": "cross-site"}):
        async with local.get("/api/v1/machine", headers=headers) as answer:
            assert answer.status == 403
    for path in ("/", "/login", "/favicon.svg"):
        async with local.get(path) as answer:
            assert answer.status == 404


async def test_garbage_instead_of_http_does_no_harm(server, local, tmp_path):
    for data in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"POST /api/v1/machine/stop HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"A" * 100000):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "api.sock")
        writer.write(data)
        if writer.can_write_eof():
            writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
    async with local.get("/api/v1/machine") as answer:
        assert answer.status == 200
