import asyncio

import aiohttp
import pytest

pytestmark = pytest.mark.integration

COOKIE = "quarterdeck_session_"


async def test_a_link_sets_a_strict_cookie_and_leads_to_the_console(server, stranger):
    async with stranger.session.get(server.new_link(), allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/"
        header = answer.headers["Set-Cookie"]
    port = server.viewer_url.rstrip("/").rsplit(":", 1)[1]
    assert header.startswith(f"{COOKIE}{port}=")
    assert {part.strip() for part in header.split(";")[1:]} >= {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert "Secure" not in header
    async with stranger.get("/") as answer:
        assert (answer.status, await answer.text()) == (200, "<!doctype html><title>console</title>")


async def test_the_cookie_is_secure_behind_tls(server, stranger):
    async with stranger.session.get(server.new_link(), headers={"X-Forwarded-Proto": "https"}, allow_redirects=False) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "none", "Upgrade-Insecure-Requests": "1"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 200),
        ({"Upgrade-Insecure-Requests": "1"}, 200),
    ],
)
async def test_a_link_on_another_site_gets_a_page_that_navigates(server, stranger, headers, status):
    async with stranger.session.get(server.new_link(), headers=headers, allow_redirects=False) as answer:
        assert answer.status == status
        assert "Set-Cookie" in answer.headers
        if status == 200:
            assert 'http-equiv="refresh" content="0; url=/"' in await answer.text()


async def test_of_two_requests_with_one_token_only_one_wins(server, stranger):
    link = server.new_link()

    async def follow():
        async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*(follow() for _ in range(20)))) == [303] + [403] * 19


async def test_head_and_other_methods_do_not_use_up_a_link(server, stranger):
    link = server.new_link()
    for method in ("HEAD", "OPTIONS", "POST", "PUT"):
        async with stranger.session.request(method, link) as answer:
            assert answer.status == 405
    async with stranger.session.get(link, allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%FF%00", "?token=a&token=b", "?token=" + "x" * 5000])
async def test_a_wrong_link_says_how_to_get_one(stranger, query):
    async with stranger.get(f"/login{query}", allow_redirects=False) as answer:
        assert answer.status == 403
        assert answer.content_type == "text/html"
        assert "qd open demo" in await answer.text()
        assert "Set-Cookie" not in answer.headers


async def test_a_used_link_in_a_browser_that_is_logged_in_leads_to_the_console(owner):
    async with owner.get("/login?token=used", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_many_wrong_links_are_slowed_down(server, stranger):
    for _ in range(20):
        async with stranger.get("/login?token=wrong"):
            pass
    async with stranger.get("/login?token=wrong") as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0


async def test_without_a_session_there_is_a_page_and_json(stranger):
    async with stranger.get("/") as answer:
        assert answer.status == 401
        assert "qd open demo" in await answer.text()
    async with stranger.get("/api/v1/machine") as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["key"] == "login-required"


async def test_logout_ends_the_session_and_its_streams(owner):
    async with owner.ws("/api/v1/serial") as serial:
        await serial.receive()
        async with owner.post("/api/v1/logout") as answer:
            assert answer.status == 204
            assert "Max-Age=0" in answer.headers["Set-Cookie"]
        assert (await serial.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    async with owner.get("/api/v1/machine") as answer:
        assert answer.status == 401


async def test_a_new_login_replaces_the_session_of_that_browser(server, owner):
    old = {cookie.key: cookie.value for cookie in owner.session.cookie_jar}
    async with owner.session.get(server.new_link(True)) as answer:
        assert answer.status == 200
    async with owner.get("/api/v1/session") as answer:
        assert await answer.json() == {"view_only": True}
    async with aiohttp.ClientSession(cookies=old) as session, session.get(f"{owner.base}/api/v1/session") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example", 403), ("127.0.0.1.evil.example:8006", 403), ("192.0.2.1", 403), ("localhost:1", 200), ("desk.example", 200)],
)
async def test_only_our_own_names_are_answered(owner, host, status):
    async with owner.get("/api/v1/machine", headers={"Host": host}) as answer:
        # The jar belongs to the URL, so the cookie is sent under every name here.
        assert answer.status == status
    async with owner.get("/", headers={"Host": host}) as answer:
        assert answer.status == status


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://localhost"])
async def test_a_foreign_origin_can_neither_change_anything_nor_open_a_websocket(owner, backend, origin):
    headers = {} if origin is None else {"Origin": origin}
    async with owner.post("/api/v1/machine/kill", headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"]["key"] == "foreign-origin"
    for path in ("/api/v1/serial", "/api/v1/vnc"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await owner.ws(path, headers=headers)
        assert refused.value.status == 403
    assert backend.calls == []
    assert backend.serials == []


async def test_sessions_survive_a_restart_on_the_same_port(server, owner, tmp_path, backend, static):
    from quarterdeck.console.server import ConsoleServer
    from quarterdeck.console.viewer import Viewer

    port = int(owner.base.rsplit(":", 1)[1])
    await server.stop()
    again = ConsoleServer(
        backend, socket_path=tmp_path / "api.sock", secrets_path=tmp_path / "secrets.json", viewer=Viewer(previous=port), static=static
    )
    await again.start()
    try:
        assert again.viewer_url == f"{owner.base}/"
        async with owner.get("/api/v1/session") as answer:
            assert answer.status == 200
    finally:
        await again.stop()
