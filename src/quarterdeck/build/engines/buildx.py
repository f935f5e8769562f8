"""BuildKit through buildx, with any of its drivers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quarterdeck.build.engines.cache import field
from quarterdeck.build.engines.capability import Capability, buildx_capabilities
from quarterdeck.build.engines.docker import in_store, save
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.events import BuildReporter
from quarterdeck.build.engines.flags import each, pairs, shared_flags
from quarterdeck.build.engines.plain_progress import PlainParser
from quarterdeck.build.engines.rawjson import RawJsonParser
from quarterdeck.build.engines.record import Parser, Record
from quarterdeck.build.engines.request import ArchiveFormat, BuildRequest, BuildResult
from quarterdeck.build.engines.session import Session, archive_digest, check_destination, merged, parse_object, private_folder
from quarterdeck.build.engines.version import Version, parse_version
from quarterdeck.build.nodes.model import EngineName

_RAWJSON: Version = (0, 13)
_LARGEST_METADATA = 16 << 20


@dataclass(frozen=True, kw_only=True)
class BuildxEngine:
    """buildx and its builder.

    Attributes:
        program: the words that run it: ``docker buildx``, or ``buildx`` alone.
        docker: the words that run the client of the builder's engine, for images that come out of its store.
        version: of buildx.
        buildkit: version of the BuildKit behind the builder.
        driver: ``docker``, ``docker-container``, ``remote``...
        exports: whether it can write OCI archives; ``docker`` only with the containerd image store.
    """

    endpoint: Endpoint
    program: tuple[str, ...]
    docker: tuple[str, ...]
    version: str
    buildkit: str
    driver: str
    exports: bool = True
    name: EngineName = EngineName.BUILDX

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """What its version, its driver and the BuildKit behind it can."""
        return buildx_capabilities(parse_version(self.version), parse_version(self.buildkit), docker_driver=not self.exports)

    async def build(self, request: BuildRequest, *, report: BuildReporter, environment: Mapping[str, str] | None = None) -> BuildResult:
        """Build and export in one go; see :class:`quarterdeck.build.engines.engine.Engine`."""
        check_destination(request)
        since = time.monotonic()
        with private_folder() as folder:
            session = Session(self.name, self.version, self.endpoint, request, report, folder, merged(self.endpoint, environment))
            record = await (self._exported(session) if self.exports else self._saved(session))
            metadata = _metadata(session)
            image = _word(metadata, "containerimage.config.digest") or session.image_id()
        return BuildResult(
            platform=request.platform,
            path=request.destination,
            format=ArchiveFormat.OCI if self.exports else ArchiveFormat.DOCKER,
            image_id=image,
            digest=await asyncio.to_thread(archive_digest, request.destination) if self.exports else "",
            steps=record.steps,
            seconds=time.monotonic() - since,
            engine=self.name,
            version=self.version,
            metadata=metadata,
            notes=tuple(record.warnings),
        )

    async def _exported(self, session: Session) -> Record:
        output = ",".join(["type=oci", field("dest", str(session.request.destination))])
        return await session.run(self._command(session, ["--output", output]), self._parser())

    async def _saved(self, session: Session) -> Record:
        async with in_store(session, list(self.docker)) as named:
            record = await named.run(self._command(named, ["--load"]), self._parser())
            await save(named, list(self.docker))
        return record

    @property
    def _has_rawjson(self) -> bool:
        return parse_version(self.version) >= _RAWJSON

    def _parser(self) -> Parser:
        return RawJsonParser() if self._has_rawjson else PlainParser()

    def _command(self, session: Session, output: list[str]) -> list[str]:
        request = session.request
        words = [*self.program, "build", f"--progress={'rawjson' if self._has_rawjson else 'plain'}", *output]
        words += [f"--builder={self.endpoint.builder}"] if self.endpoint.builder else []
        words += [f"--iidfile={session.id_file}", f"--metadata-file={session.folder / 'metadata.json'}"]
        words += [*shared_flags(request), *session.dockerfile()]
        words += pairs("--build-context", request.build_contexts) + pairs("--annotation", request.annotations)
        words += each("--cache-from", request.cache_from) + each("--cache-to", request.cache_to)
        words += [f"--provenance={request.provenance}"] if request.provenance is not None else []
        words += [f"--sbom={request.sbom}"] if request.sbom is not None else []
        words += ["--pull"] if request.pull else []
        words += [f"--network={request.network}"] if request.network else []
        return [*words, *request.extra, "--", request.context]


def _metadata(session: Session) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError), (session.folder / "metadata.json").open("rb") as file:
        return parse_object(file.read(_LARGEST_METADATA))
    return {}


def _word(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
