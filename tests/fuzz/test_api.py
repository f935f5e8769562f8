"""Whatever is sent to the console: no 500, JSON below /api, and it still serves the next one."""

import asyncio
import contextlib
import http.client
import importlib.util
import json
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.console.app import PREFIX, ROUTES
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer

pytestmark = pytest.mark.integration

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAKES = Path(__file__).parent.parent / "integration" / "console" / "conftest.py"
STREAMS = ("/events", "/vnc", "/serial")


class Running:
    """A console in a thread of its own, and what a browser that is logged in to it sends."""

    def __init__(self, console, port, cookie):
        self.console = console
        self.port = port
        self.headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}"}

    def ask(self, method, target, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("console_fakes", FAKES)
    assert spec is not None
    assert spec.loader is not None
    fakes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fakes)
    folder = tmp_path_factory.mktemp("api")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    console = ConsoleServer(fakes.FakeBackend(), socket_path=folder / "a", secrets_path=folder / "s", viewer=Viewer(port=0), static=folder)
    wait(console.start())
    assert console.viewer_url is not None
    port = int(console.viewer_url.rstrip("/").rsplit(":", 1)[1])
    link = http.client.HTTPConnection("127.0.0.1", port)
    link.request("GET", console.new_link().removeprefix(console.viewer_url.rstrip("/")))
    cookie = str(link.getresponse().headers["Set-Cookie"]).partition(";")[0]
    link.close()
    yield Running(console, port, cookie)
    wait(console.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


FIELDS = ("timeout", "keys", "view_only", "tag", "memory", "disk", "size", "x")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())
SHORT = [route for route in ROUTES if route.path not in STREAMS and route.path != "/logout"]
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=30)


def is_sane(status, headers, content):
    assert status < 500
    if status >= 400:
        error = json.loads(content)["error"]
        assert set(error) == {"key", "message", "reason", "hint", "exit_code"}
        assert "Traceback" not in content.decode()
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@FUZZ
@given(route=st.sampled_from(SHORT), body=BODIES)
def test_any_body(running, route, body):
    is_sane(*running.ask(route.method, PREFIX + route.path.replace("{name}", "serial"), body))


@FUZZ
@given(method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]), path=ASCII, query=ASCII)
def test_any_path(running, method, path, query):
    status, headers, content = running.ask(method, f"/api/v1/logs/{path}?bytes={query}")
    is_sane(status, headers, content)
    status, headers, content = running.ask(method, f"/api/{path}")
    is_sane(status, headers, content)


@FUZZ
@given(
    name=st.sampled_from(["Host", "Origin", "Cookie", "Last-Event-ID", "Content-Type", "Range", "X-Forwarded-Proto", "Accept-Encoding"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
)
def test_any_header(running, name, value):
    is_sane(*running.ask("POST", f"{PREFIX}/machine/pause", b"", {name: value}))
    status, _, _ = running.ask("GET", "/", headers={name: value})
    assert status in (200, 401, 403, 503)  # 503: there is no front end here


@FUZZ
@given(token=st.text(max_size=40))
def test_any_token(running, token):
    running.console._auth.limit._failures.clear()
    quoted = "".join(f"%{byte:02x}" for byte in token.encode("utf-8", "surrogatepass"))
    status, _, _ = running.ask("GET", f"/login?token={quoted}", headers={"Cookie": ""})
    assert status == 403


@FUZZ
@given(data=st.binary(min_size=1, max_size=400))
def test_any_bytes(running, data):
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while client.recv(65536):
                pass
    status, _, _ = running.ask("GET", f"{PREFIX}/session")
    assert status == 200
