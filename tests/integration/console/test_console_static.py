import asyncio
import shutil

import pytest

pytestmark = pytest.mark.integration


async def raw(browser, target, host="127.0.0.1"):
    """Send ``target`` as it is: clients would tidy up the dots."""
    port = int(browser.base.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_files_have_their_type_and_are_cached_when_named_after_their_content(stranger):
    async with stranger.get("/assets/index-B7x9aQ2c.js", headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, await answer.text()) == (200, "export {};")
        assert answer.content_type == "text/javascript"
        assert "immutable" in answer.headers["Cache-Control"]
    async with stranger.get("/favicon.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Cache-Control"] == "no-cache"
    async with stranger.get("/odd.bin") as answer:
        assert answer.content_type == "application/octet-stream"


async def test_compressed_twins_are_sent_to_those_who_accept_them(stranger):
    answer = await raw(stranger, "/assets/index-B7x9aQ2c.js HTTP/1.1\r\nAccept-Encoding: gzip\r\nX:")
    assert b"Content-Encoding: gzip" in answer
    assert answer.endswith(b"\x1f\x8b\x08")


@pytest.mark.parametrize(
    "target",
    [
        "/../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/assets/../../outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/assets/..%5c..%5coutside.txt",
        "//etc/passwd",
        "/%00",
        "/assets",
        "/assets/",
        "/link.txt",
        "/assets/index-B7x9aQ2c.js.gz",
        "/index.html",
        "/.",
    ],
)
async def test_nothing_else_can_be_had(owner, target):
    answer = await raw(owner, target)
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 401", b"HTTP/1.1 400"))
    assert b"secret" not in answer
    assert b"root:" not in answer


async def test_every_answer_has_the_security_headers(owner, stranger):
    host = owner.base.removeprefix("http://")
    for browser, path in [(owner, "/"), (stranger, "/"), (owner, "/api/v1/machine"), (owner, "/api/v1/nothing"), (owner, "/favicon.svg")]:
        async with browser.get(path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert f"ws://{host}" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Server" not in answer.headers
            assert "Access-Control-Allow-Origin" not in answer.headers
            if path != "/favicon.svg":
                assert answer.headers["Cache-Control"] == "no-store"


async def test_a_foreign_host_never_gets_into_the_policy(owner):
    answer = await raw(owner, "/", host="x;script-src *")
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"script-src *" not in answer


async def test_an_unbuilt_front_end_says_what_to_do(owner, static):
    shutil.rmtree(static)
    async with owner.get("/") as answer:
        assert answer.status == 503
        assert "make setup" in await answer.text()
    async with owner.get("/favicon.svg") as answer:
        assert answer.status == 404


async def test_head_works_for_pages_and_files(owner):
    for path in ("/", "/favicon.svg"):
        async with owner.session.head(owner.base + path) as answer:
            assert answer.status == 200
            assert int(answer.headers["Content-Length"]) > 0
