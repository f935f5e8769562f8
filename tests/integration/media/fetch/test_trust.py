"""Certificates, and signatures over the file itself."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from tests.integration.media.catalogue.site import Signer, signer
from tests.integration.media.fetch.publisher import Publisher, Served, content

from quarterdeck.core.process import run
from quarterdeck.errors import MediaError
from quarterdeck.media.fetch.download import Proof, Verified, open_download
from quarterdeck.media.fetch.failure import FetchError
from quarterdeck.media.fetch.http import Http, Patience
from quarterdeck.media.fetch.model import Detached, Wanted

pytestmark = pytest.mark.integration

BODY = content(3 << 20)


@pytest.fixture(scope="module")
def author() -> Iterator[Signer]:
    with signer() as key:
        yield key


async def fetch(wanted: Wanted, folder: Path, http: Http) -> Verified:
    async with open_download(wanted, folder=folder, http=http) as download:
        return await download.finish()


@pytest.mark.parametrize("armor", [False, True])
async def test_a_signature_over_the_file_proves_it(lab: Publisher, http: Http, tmp_path: Path, author: Signer, armor: bool) -> None:
    place = lab.add("/x.img.sig", Served(author.detached(BODY, armor=armor)))
    detached = Detached(place, author.fingerprint, author.public)
    wanted = Wanted((lab.add("/x.img", Served(BODY)),), signature=detached)
    verified = await fetch(wanted, tmp_path, http)
    assert (verified.proof, verified.detail) == (Proof.SIGNATURE, author.fingerprint)


async def test_other_files_other_keys_and_no_signature_are_refused(lab: Publisher, http: Http, tmp_path: Path, author: Signer) -> None:
    place = lab.add("/x.img.sig", Served(author.detached(BODY)))
    good = Detached(place, author.fingerprint, author.public)
    lab.add("/x.img", Served(BODY[:-1] + b"x"))
    with pytest.raises(MediaError) as caught:
        await fetch(Wanted((f"{lab.base}/x.img",), signature=good), tmp_path, http)
    assert (caught.value.key, "changed" in caught.value.reason) == ("signature-wrong", True)
    lab.add("/x.img", Served(BODY, etag='"2"'))
    with pytest.raises(MediaError) as caught:
        await fetch(Wanted((f"{lab.base}/x.img",), signature=replace(good, key="0" * 40)), tmp_path, http)
    assert author.fingerprint in caught.value.reason
    lab.asked.clear()
    with pytest.raises(FetchError) as missing:
        await fetch(Wanted((f"{lab.base}/x.img",), signature=replace(good, url=f"{lab.base}/gone.sig")), tmp_path, http)
    assert missing.value.key == "http-404"
    assert "/x.img" not in lab.asked, "a missing signature does not cost a download"


async def test_certificates_are_checked_and_own_authorities_can_be_named(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, *subject])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    app = web.Application()
    app.router.add_get("/page", _answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://localhost:{runner.addresses[0][1]}/page"
    try:
        async with Http(ca_file=certificate) as http:
            assert (await http.read(url)).body == b"hello"
            with pytest.raises(MediaError) as caught:
                await http.read(url, limit=4)
            assert caught.value.key == "page-too-large"
            with pytest.raises(FetchError) as refused:
                await http.read(url.replace("localhost", "127.0.0.1"))
            assert refused.value.key == "tls-untrusted"
        async with Http(patience=Patience(attempts=1)) as http:
            with pytest.raises(FetchError) as refused:
                await http.read(url)
            assert refused.value.key == "tls-untrusted"
            assert "SSL_CERT_FILE" in refused.value.hint
            with pytest.raises(MediaError) as caught:
                await http.read("http://example.org/page")
            assert caught.value.key == "url-not-encrypted"
    finally:
        await runner.cleanup()


async def test_what_does_not_speak_tls_is_told(lab: Publisher) -> None:
    async with Http(patience=Patience(attempts=1)) as http:
        with pytest.raises(FetchError) as caught:
            await http.read(lab.base.replace("http:", "https:"))
        assert caught.value.key == "tls-failed"


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="hello")
