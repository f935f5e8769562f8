"""Docker Engines and BuildKit daemons, asked for what they build."""

from __future__ import annotations

from quarterdeck.build.nodes.buildkit.stream import connect, through
from quarterdeck.build.nodes.buildkit.workers import Worker, ask, ask_docker
from quarterdeck.build.nodes.classify import Findings, by_word
from quarterdeck.build.nodes.docker import DockerClient, DockerInfo, docker_info
from quarterdeck.build.nodes.endpoint import Endpoint
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Tls
from quarterdeck.build.nodes.probe.answer import Answer
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.errors import TargetError, UsageError

_BUILDKIT_WORD = "BuildKit ran a program of it"


async def probe_docker(client: DockerClient, *, timeout: float) -> Answer:
    """Return what a Docker Engine is: itself asked for its processors and memory, its BuildKit for its platforms.

    Raises:
        TargetError: no Engine answers.
        HostError: there is no docker client.
    """
    info = await docker_info(client, timeout=timeout)
    arch = machine_arch(info.machine)
    found, notes = await docker_platforms(client.argv("system", "dial-stdio"), arch)
    engine = EngineFacts(EngineName.DOCKER, info.version)
    return Answer(found, (engine,), info.cpus, info.memory, (*notes, *_image_store(info)))


async def docker_platforms(dial: list[str], arch: Arch) -> tuple[Findings, tuple[str, ...]]:
    """Return the platforms of the BuildKit inside a Docker Engine that ``dial`` connects to, its own alone where there is none."""
    try:
        async with through(dial) as stream:
            worker = await ask_docker(stream)
    except TargetError as error:
        note = f"{error.message}: {error.reason}; it builds for its own platform only"
        return by_word([Platform.parse(arch.oci)], arch, word="the Engine runs there"), (note,)
    return by_word(worker.platforms, arch, word=_BUILDKIT_WORD), ()


def _image_store(info: DockerInfo) -> tuple[str, ...]:
    """Say whether images of several platforms can be loaded; drivers of the containerd image store are called snapshotters."""
    several = info.driver in ("overlayfs", "native", "stargz")
    return ("its image store holds images of several platforms",) if several else ()


async def probe_buildkit(endpoint: Endpoint, tls: Tls) -> Answer:
    """Return what a BuildKit daemon is.

    Raises:
        TargetError: none answers.
        UsageError: a TLS file cannot be used.
    """
    async with connect(endpoint, tls) as stream:
        return of_worker(await ask(stream))


async def probe_behind(dial: list[str]) -> Answer:
    """Return what the BuildKit daemon is that a program leads to, such as ``docker exec -i CONTAINER buildctl dial-stdio``."""
    async with through(dial) as stream:
        return of_worker(await ask(stream))


def of_worker(worker: Worker) -> Answer:
    """Return the answer that a daemon's word makes; its own platform stands first."""
    arch = worker.platforms[0].arch
    if arch is None:
        raise TargetError("node-arch-unknown", f"the daemon builds for {worker.platforms[0]}, which we do not know")
    found = by_word(worker.platforms, arch, word=_BUILDKIT_WORD)
    return Answer(found, (EngineFacts(EngineName.BUILDKIT, worker.version),))


def machine_arch(machine: str) -> Arch:
    """Return the architecture that an Engine names.

    Raises:
        TargetError: we know none of this name.
    """
    try:
        return find_arch(machine)
    except UsageError:
        raise TargetError(
            "node-arch-unknown", f"the Engine runs on {machine or 'an architecture without a name'}, which we do not know"
        ) from None
