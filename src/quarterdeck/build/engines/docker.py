"""A Docker Engine's own BuildKit, driven by a client that has no buildx: Docker 20.10 as Debian 12 has it.

It builds one platform for each call and can only put the image into the engine's own store.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from quarterdeck.build.engines.cache import cache_type, fields
from quarterdeck.build.engines.capability import Capability, docker_capabilities
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.events import BuildReporter
from quarterdeck.build.engines.flags import each, shared_flags
from quarterdeck.build.engines.plain_progress import PlainParser
from quarterdeck.build.engines.request import ArchiveFormat, BuildRequest, BuildResult
from quarterdeck.build.engines.session import Session, check_destination, merged, private_folder
from quarterdeck.build.engines.version import parse_version
from quarterdeck.build.nodes.model import EngineName

_PASSING = "quarterdeck.invalid/build"


@dataclass(frozen=True)
class DockerEngine:
    """Docker Engine without buildx; ``version`` is that of the engine, ``program`` the client."""

    endpoint: Endpoint
    program: str
    version: str
    name: EngineName = EngineName.DOCKER

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """What its version can."""
        return docker_capabilities(parse_version(self.version))

    async def build(self, request: BuildRequest, *, report: BuildReporter, environment: Mapping[str, str] | None = None) -> BuildResult:
        """Build into the engine's store, then save from there; see :class:`quarterdeck.build.engines.engine.Engine`."""
        check_destination(request)
        since = time.monotonic()
        variables = merged(self.endpoint, environment, {"DOCKER_BUILDKIT": "1"})
        words = [self.program, *self.endpoint.docker]
        with private_folder() as folder:
            session = Session(self.name, self.version, self.endpoint, request, report, folder, variables)
            async with in_store(session, words) as named:
                record = await named.run(self._command(named), PlainParser())
                await save(named, words)
            image = session.image_id()
        return BuildResult(
            platform=request.platform,
            path=request.destination,
            format=ArchiveFormat.DOCKER,
            image_id=image,
            digest="",
            steps=record.steps,
            seconds=time.monotonic() - since,
            engine=self.name,
            version=self.version,
            notes=tuple(record.warnings),
        )

    def _command(self, session: Session) -> list[str]:
        request = session.request
        words = [self.program, *self.endpoint.docker, "build", "--progress=plain", f"--iidfile={session.id_file}"]
        words += [*shared_flags(request), *session.dockerfile()]
        words += each("--cache-from", (fields(value).get("ref", value) for value in request.cache_from))
        # What later became --cache-to type=inline.
        words += ["--build-arg=BUILDKIT_INLINE_CACHE=1"] if any(cache_type(value) == "inline" for value in request.cache_to) else []
        words += ["--pull"] if request.pull else []
        words += [f"--network={request.network}"] if request.network else []
        return [*words, *request.extra, "--", request.context]


@contextlib.asynccontextmanager
async def in_store(session: Session, docker: list[str]) -> AsyncIterator[Session]:
    """Give the image a name for as long as the block if it gets none, so that it can be found and does not stay."""
    if session.request.tags:
        yield session
        return
    name = f"{_PASSING}:{uuid.uuid4().hex}"
    try:
        yield replace(session, request=replace(session.request, tags=(name,)))
    finally:
        # Only the name goes if the image has another one.
        await session.ask([*docker, "image", "rm", name], check=False)


async def save(session: Session, docker: list[str]) -> None:
    """Write the image out of the engine's store, as an archive of Docker."""
    image = session.request.tags[0] if session.request.tags else session.image_id()
    await session.ask([*docker, "image", "save", f"--output={session.request.destination}", image], timeout=None)
