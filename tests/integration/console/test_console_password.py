"""Password, tokens and no login at all, by real requests."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from quarterdeck.console.credentials import Login
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer

pytestmark = pytest.mark.integration

TOKEN, VIEW = "0123456789abcdef", "fedcba9876543210"
Open = Callable[..., Any]


@pytest.fixture
def serving(backend, tmp_path, static) -> Open:
    @asynccontextmanager
    async def run(**login: Any) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
        viewer = Viewer(port=0, login=Login(**login))
        paths = {"socket_path": tmp_path / "api.sock", "secrets_path": tmp_path / "secrets.json"}
        server = ConsoleServer(backend, viewer=viewer, static=static, **paths)
        await server.start()
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
                yield session, str(server.viewer_url).rstrip("/")
        finally:
            await server.stop()

    return run


@pytest.fixture
def secret(tmp_path):
    def write(text: str, name: str = "secret") -> Any:
        path = tmp_path / name
        temporary = tmp_path / "new"
        temporary.write_text(text)
        os.replace(temporary, path)
        return path

    return write


async def login(session: aiohttp.ClientSession, base: str, *, origin: str | None = None, **fields: str) -> tuple[int, str]:
    headers = {"Origin": base if origin is None else origin} if origin != "" else {}
    async with session.post(f"{base}/login", data=fields, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


async def status(session: aiohttp.ClientSession, url: str, **options: Any) -> int:
    async with session.request(options.pop("method", "GET"), url, allow_redirects=False, **options) as answer:
        return answer.status


async def test_the_form_logs_in_and_another_password_ends_its_sessions(serving, secret):
    path = secret("first")
    async with serving(user="ann", password_file=path) as (session, base):
        async with session.get(f"{base}/") as answer:
            page = await answer.text()
            assert (answer.status, answer.headers["Referrer-Policy"]) == (401, "same-origin")
        assert 'name="user"' in page
        assert 'name="password"' in page
        assert await status(session, f"{base}/login") == 200
        told, page = await login(session, base, user="ann", password="wrong")
        assert (told, "user name or password is wrong" in page) == (403, True)
        assert (await login(session, base, user="bob", password="first"))[0] == 403
        assert (await login(session, base, user="ann", password="first"))[0] == 303
        assert await status(session, f"{base}/api/v1/machine") == 200
        assert await status(session, f"{base}/login") == 303
        secret("second")
        assert await status(session, f"{base}/api/v1/machine") == 401


async def test_sessions_of_a_password_outlive_the_supervisor_while_it_stays(serving, secret):
    path = secret("first")
    async with serving(password_file=path) as (session, base):
        await login(session, base, password="first")
        cookies = {cookie.key: cookie.value for cookie in session.cookie_jar}
    value = next(iter(cookies.values()))
    async with serving(password_file=path) as (session, base):
        cookie = f"quarterdeck_session_{base.rsplit(':', 1)[1]}={value}"
        assert await status(session, f"{base}/api/v1/machine", headers={"Cookie": cookie}) == 200


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "http://127.0.0.1:1"])
async def test_another_site_cannot_log_a_browser_in(serving, secret, origin):
    async with serving(password_file=secret("first")) as (session, base):
        assert (await login(session, base, origin=origin, password="first"))[0] == 403
        assert not list(session.cookie_jar)


async def test_forms_that_are_none_are_refused(serving, secret):
    async with serving(password_file=secret("first")) as (session, base):
        url, own = f"{base}/login", {"Origin": base}
        assert await status(session, url, method="POST", json={"password": "first"}, headers=own) == 415
        assert await status(session, url, method="POST", data={"password": "x" * 20000}, headers=own) == 413
        assert await status(session, url, method="POST", data={"other": "1"}, headers=own) == 403


async def test_wrong_passwords_are_slowed_down_even_many_at_once_but_links_and_sessions_go_on(serving, secret):
    async with serving(password_file=secret("first")) as (session, base):
        await login(session, base, password="first")
        async with aiohttp.ClientSession() as stranger:
            told = await asyncio.gather(*(login(stranger, base, password=f"guess{number}") for number in range(40)))
            assert sorted(code for code, _ in told) == [403] * 20 + [429] * 20
            assert (await login(stranger, base, password="first"))[0] == 429
            assert await status(stranger, f"{base}/api/v1/machine", headers=basic("", "first")) == 429
        assert await status(session, f"{base}/api/v1/machine") == 200


async def test_a_program_sends_user_and_password_with_each_request(serving, secret, backend):
    async with serving(user="ann", password_file=secret("sec:ret")) as (session, base):
        right, wrong = basic("ann", "sec:ret"), basic("ann", "no")
        async with session.get(f"{base}/api/v1/machine", headers=right) as answer:
            assert (await answer.json())["login"] == {"user": "debian", "password": "secret"}
        assert await status(session, f"{base}/api/v1/machine", headers=wrong) == 401
        assert await status(session, f"{base}/api/v1/machine", headers={"Authorization": "Basic !!"}) == 401
        assert await status(session, f"{base}/api/v1/machine/pause", method="POST", headers=right) == 202
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert await status(session, f"{base}/api/v1/machine/pause", method="POST", headers=right | headers) == 403
        assert [call for call in backend.calls if call[0] == "pause"] == [("pause",)]
        async with session.ws_connect(f"{base}/api/v1/serial", headers=right) as serial:
            assert (await serial.receive()).data == b"tail of the log\r\n"
        assert not list(session.cookie_jar)


async def test_many_right_requests_are_never_slowed_down(serving, secret):
    async with serving(password_file=secret("first")) as (session, base):
        for _ in range(50):
            assert await status(session, f"{base}/api/v1/session", headers=basic("any", "first")) == 200


async def test_tokens_log_in_again_and_again_and_a_view_token_only_looks(serving, secret, backend):
    files = {"token_file": secret(TOKEN, "t"), "view_token_file": secret(VIEW, "v")}
    async with serving(**files) as (session, base):
        for token, code in ((TOKEN, 202), (VIEW, 403)):
            headers = {"Authorization": f"Bearer {token}"}
            assert await status(session, f"{base}/api/v1/machine/pause", method="POST", headers=headers) == code
        assert await status(session, f"{base}/api/v1/machine", headers={"Authorization": "Bearer wrong"}) == 401
        for path in ("/login", "/"):
            for _ in range(2):
                async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
                    assert await status(browser, f"{base}{path}?token={VIEW}") == 303
                    async with browser.get(f"{base}/api/v1/machine") as answer:
                        described = await answer.json()
                    assert (described["view_only"], described["login"]) == (True, None)
        assert await status(session, f"{base}/login?token={TOKEN}x") == 403


async def test_an_open_viewer_asks_nobody_says_so_and_still_keeps_other_sites_out(serving, backend):
    async with serving(open=True) as (session, base):
        async with session.get(f"{base}/api/v1/machine") as answer:
            described = await answer.json()
        assert (described["viewer_open"], described["view_only"]) == (True, False)
        assert await status(session, f"{base}/") == 200
        pause = f"{base}/api/v1/machine/pause"
        assert await status(session, pause, method="POST", headers={"Origin": base}) == 202
        assert await status(session, pause, method="POST") == 202
        assert await status(session, pause, method="POST", headers={"Origin": "http://evil.example"}) == 403
        assert await status(session, f"{base}/api/v1/machine", headers={"Host": "evil.example"}) == 403
        async with session.ws_connect(f"{base}/api/v1/serial", headers={"Origin": base}) as serial:
            await serial.receive()
            assert await status(session, f"{base}/api/v1/logout", method="POST", headers={"Origin": base}) == 204
            await serial.ping()
            backend.serials[0].say(b"more")
            assert (await serial.receive()).data == b"more"
    backend.events.close()
    told = [record.data["text"] async for record in backend.events.follow() if record.type == "message"]
    assert any("asks nobody" in text for text in told)
