"""Docker Engines by their own client: a context, or an address."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.build.nodes.model import Tls
from quarterdeck.core import process
from quarterdeck.errors import HostError, TargetError

_CONTEXT_SECONDS = 10.0
_NO_VALUE = re.compile(r"<no value>|<nil>")


@dataclass(frozen=True)
class DockerClient:
    """Which Engine the client is to speak to: a context's, that at an address, or (neither) the current one."""

    context: str = ""
    host: str = ""
    tls: Tls = field(default_factory=Tls)

    def argv(self, *words: str) -> list[str]:
        """Return the argument list of ``docker WORDS``.

        Raises:
            HostError: there is no docker client.
        """
        return [docker_program(), *self.where(), *words]

    def where(self) -> tuple[str, ...]:
        """Return the options that tell the client which Engine."""
        if self.context:
            return ("--context", self.context)
        if not self.host:
            return ()
        files = {"--tlscacert": self.tls.ca, "--tlscert": self.tls.certificate, "--tlskey": self.tls.key}
        given = [f"{option}={path}" for option, path in files.items() if path]
        return ("--host", self.host, *(["--tlsverify"] if given else []), *given)


@dataclass(frozen=True)
class DockerInfo:
    """What ``docker info`` says: version, the machine's name for its architecture, kernel, processors, memory in bytes, store of images."""

    version: str
    machine: str
    kernel: str
    cpus: int
    memory: int
    driver: str


def docker_program() -> str:
    """Return the path of the docker client.

    Raises:
        HostError: there is none.
    """
    found = process.find("docker")
    if found is None:
        raise HostError("program-missing", "docker is not installed", hint="install it: apt install docker.io")
    return found


async def docker_info(client: DockerClient, *, timeout: float) -> DockerInfo:
    """Ask an Engine what it is.

    Raises:
        HostError: there is no docker client.
        TargetError: no Engine answers.
        DeadlineError: it took longer than ``timeout`` seconds.
    """
    done = await process.run_async(client.argv("info", "--format", "{{json .}}"), timeout=timeout, check=False)
    answer = _object(done.stdout)
    errors = answer.get("ServerErrors")
    if not answer.get("ServerVersion"):
        said = errors[0] if isinstance(errors, list) and errors else done.stderr.decode(errors="replace").strip()
        reason = str(said).splitlines()[-1] if said else "it said nothing"
        raise TargetError("docker-unreachable", "no Docker Engine answers", reason=reason, hint="is it started? docker info tells more")
    return DockerInfo(
        version=str(answer["ServerVersion"]),
        machine=str(answer.get("Architecture", "")),
        kernel=str(answer.get("KernelVersion", "")),
        cpus=_count(answer, "NCPU"),
        memory=_count(answer, "MemTotal"),
        driver=str(answer.get("Driver", "")),
    )


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _count(answer: Mapping[str, Any], key: str) -> int:
    value = answer.get(key)
    return value if isinstance(value, int) and value > 0 else 0


async def context_names() -> list[str]:
    """Return the names of all Docker contexts; none where there is no client.

    Raises:
        DeadlineError: the client does not answer.
    """
    try:
        argv = [docker_program(), "context", "ls", "--format", "{{.Name}}"]
    except HostError:
        return []
    done = await process.run_async(argv, timeout=_CONTEXT_SECONDS, check=False)
    # Debian 12's client marks the current one with a star.
    return [line.removesuffix("*").strip() for line in done.text.splitlines() if line.strip()]


async def context_host(name: str = "") -> str:
    """Return the address of a context's Engine (``unix:///var/run/docker.sock``), of the current one without a name; empty: unknown."""
    words = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}", *([name] if name else [])]
    done = await process.run_async([docker_program(), *words], timeout=_CONTEXT_SECONDS, check=False)
    text = done.text.strip() if done.returncode == 0 else ""
    return "" if _NO_VALUE.search(text) else text
