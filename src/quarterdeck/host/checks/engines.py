"""Container engines and other tools: not only found but answering."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from quarterdeck.core import process
from quarterdeck.errors import DeadlineError, QuarterdeckError
from quarterdeck.host.check import Check, Status

_TIMEOUT = 1.0
_ADVICE = re.compile(r"(Run|See) '")


@dataclass(frozen=True)
class Engine:
    """A tool, the question whose answer shows that it works, and what to do when there is none."""

    key: str
    title: str
    argv: tuple[str, ...]
    fix: str
    env: Mapping[str, str] = field(default_factory=dict)


ENGINES: tuple[Engine, ...] = (
    Engine(
        "docker",
        "Docker",
        ("docker", "version", "--format", "{{.Server.Version}}"),
        "start it (systemctl start docker), or join group docker",
    ),
    Engine("buildx", "Docker buildx", ("docker", "buildx", "version"), "install docker-buildx (Debian 13) or docker-buildx-plugin"),
    Engine("podman", "Podman", ("podman", "version", "--format", "{{.Client.Version}}"), "podman info says what is wrong"),
    Engine("buildah", "Buildah", ("buildah", "--version"), "buildah info says what is wrong"),
    Engine("skopeo", "Skopeo", ("skopeo", "--version"), "install the package skopeo again; images go to registries by it"),
    Engine(
        "libvirt", "libvirt", ("virsh", "--connect", "qemu:///system", "--readonly", "version"), "start libvirtd, or join group libvirt"
    ),
    Engine(
        "kubectl",
        "Kubernetes",
        ("kubectl", "get", "--raw", "/version", "--request-timeout=1s"),
        "kubectl config view shows which cluster is asked",
    ),
)


async def check() -> list[Check]:
    """Ask all engines at the same time; none is needed to run machines on this host."""
    return list(await asyncio.gather(*(engine_check(engine) for engine in ENGINES)))


async def engine_check(engine: Engine) -> Check:
    """Say whether ``engine`` is found and answers."""
    program = process.find(engine.argv[0])
    if program is None:
        return Check(key=engine.key, title=engine.title, status=Status.INFO, detail=f"{engine.argv[0]} is not installed")
    try:
        done = await process.run_async([program, *engine.argv[1:]], timeout=_TIMEOUT, cwd="/", env=engine.env)
    except DeadlineError:
        detail = f"{engine.argv[0]} is installed but does not answer within {_TIMEOUT:g} s"
    except (QuarterdeckError, OSError) as error:
        detail = f"{engine.argv[0]} is installed but not usable: {_why(error)}"
    else:
        return Check(key=engine.key, title=engine.title, status=Status.OK, detail=f"answers: {summary(done.text)}")
    return Check(key=engine.key, title=engine.title, status=Status.WARN, detail=detail, fix=engine.fix)


def summary(text: str) -> str:
    """Return the last line of an answer, or of a JSON answer its version, at most 100 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" {}")]
    named = [line for line in lines if '"gitVersion"' in line]
    return (named or lines or ["nothing"])[-1][:100].strip('", ').replace('"', "")


def _why(error: BaseException) -> str:
    text = error.reason or error.message if isinstance(error, QuarterdeckError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _ADVICE.match(line.strip())]
    return lines[-1][:160] if lines else "no reason given"
