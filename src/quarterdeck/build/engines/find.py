"""Which engines an endpoint has, by asking each."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from quarterdeck.build.engines.buildah import BuildahEngine
from quarterdeck.build.engines.buildx import BuildxEngine
from quarterdeck.build.engines.capability import buildkit_of_docker
from quarterdeck.build.engines.docker import DockerEngine
from quarterdeck.build.engines.engine import Endpoint, Engine
from quarterdeck.build.engines.text import plain
from quarterdeck.build.engines.version import parse_version
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.core import process
from quarterdeck.errors import QuarterdeckError

_SECONDS = 15.0
# Since then the client builds with buildx only, or without BuildKit and so without platforms.
_NEEDS_BUILDX = (23, 0)
_FIELD = re.compile(r"^\s*(Driver|BuildKit version|Buildkit):\s*(\S+)", re.MULTILINE)
# An image of BuildKit that is yet to be pulled is the newest.
_UNKNOWN_BUILDKIT = "0.99"
_VERSION = re.compile(r"\d+\.\d+[\w.+~-]*")
_KNOWN = (EngineName.BUILDX, EngineName.DOCKER, EngineName.BUILDAH, EngineName.PODMAN)


@dataclass(frozen=True)
class Found:
    """The engines, best first, and why each other one cannot be used."""

    engines: tuple[Engine, ...]
    absent: Mapping[EngineName, str] = field(default_factory=dict)


class _AbsentError(Exception):
    pass


async def find_engines(endpoint: Endpoint | None = None, names: Collection[EngineName] = _KNOWN) -> Found:
    """Ask for these of buildx, docker, buildah and podman at the same time; none of them is started or changed.

    Several ``docker`` clients on PATH are all tried: a new one without buildx cannot build for platforms, an old one can.
    """
    place = endpoint or Endpoint()
    ways = {EngineName.BUILDX: _buildx, EngineName.DOCKER: _docker, EngineName.BUILDAH: _buildah, EngineName.PODMAN: _podman}
    asked = [name for name in _KNOWN if name in names]
    answers = await asyncio.gather(*(ways[name](place) for name in asked), return_exceptions=True)
    engines: list[Engine] = []
    absent: dict[EngineName, str] = {}
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, QuarterdeckError):
            absent[name] = _why(answer)
        elif isinstance(answer, _AbsentError):
            absent[name] = str(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            engines.append(answer)
    return Found(tuple(engines), absent)


async def _buildah(place: Endpoint) -> Engine:
    program = _programs("buildah")[0]
    return BuildahEngine(place, program, _version(await _ask(place, [program, "--version"])))


async def _podman(place: Endpoint) -> Engine:
    program = _programs("podman")[0]
    words = [program, *place.podman]
    # A remote one builds with the version of its service.
    text = await _ask(place, [*words, "version", "--format={{if .Server}}{{.Server.Version}}{{else}}{{.Client.Version}}{{end}}"])
    return BuildahEngine(place, program, _version(text), EngineName.PODMAN)


async def _docker(place: Endpoint) -> Engine:
    reason = ""
    for program in _programs("docker"):
        try:
            client, server = await _docker_versions(place, program)
        except QuarterdeckError as error:
            reason = reason or _why(error)
            continue
        if parse_version(client) < _NEEDS_BUILDX:
            return DockerEngine(place, program, server)
        reason = reason or f"client {client} needs buildx"
    raise _AbsentError(reason)


async def _buildx(place: Endpoint) -> Engine:
    program, version = await _buildx_program(place)
    builder = [place.builder] if place.builder else []
    facts = dict(_FIELD.findall(await _ask(place, [*program, "inspect", *builder])))
    driver = facts.get("Driver", "docker")
    docker = (program[0] if program[0].endswith("docker") else _first("docker"), *place.docker)
    buildkit = facts.get("BuildKit version") or facts.get("Buildkit") or ""
    exports = True
    if driver == "docker":
        server = await _ask(place, [*docker, "version", "--format={{.Server.Version}}"])
        buildkit = buildkit or "{}.{}".format(*buildkit_of_docker(parse_version(server)))
        # Source: driverStatus of the containerd image store, docs.docker.com/engine/storage/containerd.
        exports = "io.containerd.snapshotter" in await _ask(place, [*docker, "info", "--format={{json .DriverStatus}}"])
    return BuildxEngine(
        endpoint=place,
        program=tuple(program),
        docker=docker,
        version=version,
        buildkit=buildkit or _UNKNOWN_BUILDKIT,
        driver=driver,
        exports=exports,
    )


async def _buildx_program(place: Endpoint) -> tuple[list[str], str]:
    alone = [[path] for name in ("docker-buildx", "buildx") if (path := process.find(name)) is not None]
    plugins = [[path, *place.docker, "buildx"] for path in _paths("docker")]
    reason = "no docker and no buildx is installed"
    for words in [*plugins, *alone]:
        try:
            return words, _version(await _ask(place, [*words, "version"]))
        except QuarterdeckError:
            reason = "the docker client has no buildx"
    raise _AbsentError(reason)


async def _docker_versions(place: Endpoint, program: str) -> tuple[str, str]:
    text = await _ask(place, [program, *place.docker, "version", "--format={{.Client.Version}} {{.Server.Version}}"])
    client, _, server = text.strip().partition(" ")
    return client, server


async def _ask(place: Endpoint, words: list[str]) -> str:
    done = await process.run_async([*place.wrap, *words], env=place.environment, timeout=_SECONDS)
    return done.text


def _version(text: str) -> str:
    found = _VERSION.search(text)
    return found[0] if found else ""


def _paths(name: str) -> list[str]:
    """Return every program of this name on PATH and where distributions put it, in order; each once, as /bin may be /usr/bin."""
    folders = dict.fromkeys([*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/bin", "/usr/local/bin"])
    paths = [os.path.join(folder, name) for folder in folders if folder]
    there = [path for path in paths if os.access(path, os.X_OK) and os.path.isfile(path)]
    return list({os.path.realpath(path): path for path in reversed(there)}.values())[::-1]


def _programs(name: str) -> list[str]:
    paths = _paths(name)
    if not paths:
        raise _AbsentError(f"{name} is not installed")
    return paths


def _first(name: str) -> str:
    return next(iter(_paths(name)), name)


def _why(error: QuarterdeckError) -> str:
    lines = [text for line in error.reason.splitlines() if (text := plain(line).strip())]
    return lines[-1] if lines else error.message
