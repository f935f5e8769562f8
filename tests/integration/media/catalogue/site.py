"""A web server that plays all publishers over HTTPS: host names are the first part of its paths."""

import base64
import hashlib
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quarterdeck.core.process import run

KEY_URL = "https://keys.example/publisher.asc"


class Signer:
    """An OpenPGP key of our own in a gpg home of our own, and a key of signify."""

    def __init__(self, home: str) -> None:
        self._gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        run([*self._gpg, "--passphrase", "", "--quick-gen-key", "Publisher <publisher@example.org>", "ed25519", "sign", "never"])
        listing = run([*self._gpg, "--with-colons", "--list-keys"]).text
        self.fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
        self.public = run([*self._gpg, "--armor", "--export"]).stdout
        self._signify = Ed25519PrivateKey.generate()
        self.signify_public = base64.b64encode(b"Ed" + b"number 1" + self._signify.public_key().public_bytes_raw()).decode()

    def detached(self, content: bytes, *, armor: bool = False) -> bytes:
        return run([*self._gpg, *(["--armor"] if armor else []), "--detach-sign", "--output", "-"], input=content).stdout

    def inline(self, content: bytes) -> bytes:
        return run([*self._gpg, "--clearsign", "--output", "-"], input=content).stdout

    def signify(self, content: bytes) -> bytes:
        signature = base64.b64encode(b"Ed" + b"number 1" + self._signify.sign(content))
        return b"untrusted comment: verify with publisher.pub\n" + signature + b"\n" + content


@contextmanager
def signer() -> Iterator[Signer]:
    home = tempfile.mkdtemp(prefix="qd-", dir="/tmp")  # the agent's socket must have a short path
    try:
        yield Signer(home)
    finally:
        run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)


class Site:
    """Files and redirects by URL at the publisher."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.files: dict[str, bytes] = {KEY_URL: signer.public}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self.base = ""

    def page(self, url: str, text: str) -> str:
        self.files[url] = text.encode()
        return url

    def signed(self, url: str, signature: str | None = None) -> None:
        """Sign the page at ``url``: inside itself, or with a signature beside it."""
        if signature is None:
            self.files[url] = self.signer.inline(self.files[url])
        else:
            self.files[url + signature] = self.signer.detached(self.files[url], armor=signature == ".asc")

    def image(self, url: str) -> bytes:
        """Put a file at ``url`` and return its content."""
        self.files[url] = f"the image {url.rpartition('/')[2]}\n".encode()
        return self.files[url]

    def images(self, base: str, names: Iterable[str]) -> dict[str, bytes]:
        return {name: self.image(base + name) for name in names}

    def index(self, url: str, names: Iterable[str], *, style: str = "apache") -> str:
        """Put a folder's index at ``url``, as Apache or nginx writes it."""
        rows = {
            "apache": '<img src="/icons/folder.gif" alt="[DIR]"> <a href="{0}">{0}</a>   2026-01-02 03:04    -   \n',
            "nginx": '<a href="{0}">{0}</a>                  02-Jan-2026 03:04           -\n',
            "table": '<tr><td class="link"><a href="./{0}" title="{0}">{0}</a></td><td class="size">-</td></tr>\n',
        }
        body = "".join(rows[style].format(name) for name in names)
        return self.page(
            url, f'<html><head><title>Index of /</title></head><body>\n<a href="?C=M;O=A">Name</a> <a href="../">../</a>\n{body}</body>'
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        url = f"https://{request.raw_path.removeprefix('/')}"
        self.asked.append(url)
        if url in self.redirects:
            place = self.redirects[url].replace("https://", f"{self.base}/")
            raise web.HTTPFound(place)
        if url not in self.files:
            raise web.HTTPNotFound
        body = self.files[url]
        if request.headers.get("Range") == "bytes=0-0":
            return web.Response(status=206, body=body[:1], headers={"Content-Range": f"bytes 0-0/{len(body)}"})
        return web.Response(body=body, headers={"Accept-Ranges": "none"})


def sha(content: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, content).hexdigest()


def gnu(files: dict[str, bytes], algorithm: str = "sha256", *, star: str = " ") -> str:
    return "".join(f"{sha(content, algorithm)} {star}{name}\n" for name, content in files.items())


def bsd(files: dict[str, bytes], algorithm: str = "sha256") -> str:
    lines = (
        f"# {name}: {len(content)} bytes\n{algorithm.upper()} ({name}) = {sha(content, algorithm)}\n" for name, content in files.items()
    )
    return "".join(lines)


def digests(files: dict[str, bytes]) -> str:
    """DIGESTS of Gentoo and Flatcar: a heading for each algorithm."""
    return "".join(f"# {algorithm.upper()} HASH\n{gnu(files, algorithm)}" for algorithm in ("blake2b", "sha512"))


def certificate(folder: Path) -> None:
    """A CA and a certificate of localhost, signed by it."""
    new: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    new += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]  # without it Python 3.13 trusts no authority
    run([*new, "-subj", "/CN=test ca", "-keyout", folder / "ca.key", "-out", folder / "ca.pem"])
    issuer: list[str | Path] = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", "subjectAltName=DNS:localhost"]
    run([*new, *issuer, "-subj", "/CN=localhost", "-keyout", folder / "site.key", "-out", folder / "site.pem"])


@asynccontextmanager
async def serving(site: Site, folder: Path) -> AsyncIterator[str]:
    """Serve ``site`` with the certificate in ``folder``; gives the URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "site.pem", folder / "site.key")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "localhost", 0, ssl_context=context).start()
        site.base = f"https://localhost:{runner.addresses[0][1]}"
        yield site.base
    finally:
        await runner.cleanup()
