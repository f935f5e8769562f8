"""A registry of container images on the loopback address, in memory of one folder."""

from __future__ import annotations

import http.client
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.daemon import daemon

from quarterdeck.core.handle import ProcessHandle

# https://distribution.github.io/distribution/about/configuration/
_CONFIG = """version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: "{folder}/registry"}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
{auth}
"""
_AUTH = """auth: {{htpasswd: {{realm: lab, path: "{folder}/htpasswd"}}}}"""
USER, PASSWORD = "lab", "lab-password"
# bcrypt of the password above, as htpasswd(1) writes it.
_HTPASSWD = f"{USER}:$2b$04$YWeIFQ6nc9A004QIJys0vuD9HskYZgnR2EYg3yj4rZoPTJEOVv0U.\n"


@dataclass(frozen=True)
class Registry:
    """A running registry; plain HTTP, which engines accept on the loopback address."""

    port: int

    def name(self, repository: str) -> str:
        """Return the full name of an image: ``127.0.0.1:PORT/repository``."""
        return f"127.0.0.1:{self.port}/{repository}"


@contextmanager
def registry(folder: Path, *, login: bool = False) -> Iterator[Registry]:
    """Run a registry until the block ends, with its images in ``folder``; with ``login`` it serves ``USER`` alone."""
    port = _free_port()
    config = folder / "registry.yml"
    (folder / "htpasswd").write_text(_HTPASSWD, encoding="utf-8")
    auth = _AUTH.format(folder=folder) if login else ""
    config.write_text(_CONFIG.format(folder=folder, port=port, auth=auth), encoding="utf-8")

    def ready(_: ProcessHandle) -> bool:
        return _answers(port)

    try:
        with daemon(["docker-registry", "serve", config], log=folder / "registry.log", ready=ready):
            yield Registry(port)
    finally:
        shutil.rmtree(folder / "registry", ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (http.client.OK, http.client.UNAUTHORIZED)
    except OSError:
        return False
    finally:
        connection.close()
