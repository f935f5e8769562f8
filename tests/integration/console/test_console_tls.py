"""HTTPS of the viewer port, by real connections."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from quarterdeck.console.certificate import GeneratedCertificate, fingerprint
from quarterdeck.console.credentials import Login
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import CERTIFICATE, Viewer
from quarterdeck.machine.spec import ViewerTls

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(backend, tmp_path: Path, static) -> AsyncIterator[ConsoleServer]:
    viewer = Viewer(port=0, names=("desk.example",), tls=ViewerTls.GENERATED, login=Login())
    console = ConsoleServer(
        backend, socket_path=tmp_path / "api.sock", secrets_path=tmp_path / "secrets.json", viewer=viewer, static=static
    )
    await console.start()
    yield console
    await console.stop()


def trusting(path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(path))


def address(server: ConsoleServer) -> tuple[str, int]:
    return "127.0.0.1", int(str(server.viewer_url).rstrip("/").rsplit(":", 1)[1])


async def test_a_browser_that_trusts_the_certificate_logs_in_with_a_secure_cookie(server, tmp_path, backend):
    assert server.viewer_url.startswith("https://127.0.0.1:")
    connector = aiohttp.TCPConnector(ssl=trusting(tmp_path / CERTIFICATE))
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(server.new_link(), allow_redirects=False) as answer:
            assert (answer.status, "Secure" in answer.headers["Set-Cookie"]) == (303, True)
        base = server.viewer_url.rstrip("/")
        async with session.get(f"{base}/api/v1/machine") as answer:
            assert answer.status == 200
        async with session.post(f"{base}/api/v1/machine/pause", headers={"Origin": base}) as answer:
            assert answer.status == 202
        async with session.ws_connect(f"{base}/api/v1/serial", headers={"Origin": base}) as serial:
            assert (await serial.receive()).data == b"tail of the log\r\n"
    backend.events.close()
    told = [record.data["text"] async for record in backend.events.follow() if record.type == "message"]
    assert any(str(server.fingerprint) in text for text in told)
    assert server.fingerprint == fingerprint(tmp_path / CERTIFICATE)


async def test_every_name_of_the_certificate_is_proved_and_others_are_not(server, tmp_path):
    context = trusting(tmp_path / CERTIFICATE)
    for name in ("localhost", "desk.example", "127.0.0.1", "::1"):
        _, writer = await asyncio.open_connection(*address(server), ssl=context, server_hostname=name)
        writer.close()
        await writer.wait_closed()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(*address(server), ssl=context, server_hostname="evil.example")


async def test_plain_http_is_led_to_https_without_its_secrets(server):
    async with aiohttp.ClientSession() as session:
        plain = server.viewer_url.replace("https://", "http://")
        async with session.get(f"{plain}login?token=abc", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, f"{server.viewer_url}login")
        async with session.get(plain, headers={"Host": "evil.example"}, allow_redirects=False) as answer:
            assert (answer.status, "HTTPS" in await answer.text()) == (400, True)


async def test_silent_odd_and_old_clients_keep_nobody_out(server, tmp_path):
    silent = [socket.create_connection(address(server)) for _ in range(20)]
    for client in silent[:5]:
        client.close()
    for client in silent[5:10]:
        client.sendall(b"\x16\x03\x01\xff\xffrubbish")
    for client in silent[10:12]:
        client.sendall(b"\x00\x01")
    old = trusting(tmp_path / CERTIFICATE)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(*address(server), ssl=old)
    connector = aiohttp.TCPConnector(ssl=trusting(tmp_path / CERTIFICATE))
    async with aiohttp.ClientSession(connector=connector) as session, session.get(server.viewer_url) as answer:
        assert answer.status == 401
    for client in silent[5:]:
        client.close()


async def test_a_renewed_certificate_file_is_used_for_the_next_connection(backend, tmp_path, static):
    own = tmp_path / "own.pem"
    GeneratedCertificate(own, []).files()
    first = own.read_bytes()
    viewer = Viewer(port=0, tls=ViewerTls.FILES, certificate=(own, own))
    paths = {"socket_path": tmp_path / "api.sock", "secrets_path": tmp_path / "secrets.json"}
    server = ConsoleServer(backend, viewer=viewer, static=static, **paths)
    await server.start()
    try:
        seen = []
        for renew in (False, True):
            if renew:
                GeneratedCertificate(own, ["desk.example"]).files()
                assert own.read_bytes() != first
            _, writer = await asyncio.open_connection(*address(server), ssl=trusting(own), server_hostname="localhost")
            seen.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
            writer.close()
            await writer.wait_closed()
        assert seen[0] != seen[1]
    finally:
        await server.stop()
