"""buildah, and podman, which is the same inside."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from quarterdeck.build.engines import leftovers
from quarterdeck.build.engines.cache import fields
from quarterdeck.build.engines.capability import Capability, buildah_capabilities, buildah_of_podman
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.events import BuildReporter, StepState
from quarterdeck.build.engines.flags import each, pairs, shared_flags
from quarterdeck.build.engines.record import Record
from quarterdeck.build.engines.request import ArchiveFormat, BuildRequest, BuildResult
from quarterdeck.build.engines.session import Session, archive_digest, check_destination, merged, private_folder
from quarterdeck.build.engines.step_lines import StepLinesParser
from quarterdeck.build.engines.version import parse_version
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.core.report import Level, Message


@dataclass(frozen=True)
class BuildahEngine:
    """buildah or podman; ``program`` is its path, ``version`` its own word."""

    endpoint: Endpoint
    program: str
    version: str
    name: EngineName = EngineName.BUILDAH

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """What its version can."""
        version = parse_version(self.version)
        return buildah_capabilities(buildah_of_podman(version) if self.name is EngineName.PODMAN else version)

    async def build(self, request: BuildRequest, *, report: BuildReporter, environment: Mapping[str, str] | None = None) -> BuildResult:
        """Build into its store, then copy from there to an OCI archive; see :class:`quarterdeck.build.engines.engine.Engine`."""
        check_destination(request)
        since = time.monotonic()
        with private_folder() as folder:
            session = Session(self.name, self.version, self.endpoint, request, report, folder, merged(self.endpoint, environment), True)
            record, notes = await self._build(session)
            image = session.image_id()
            await session.ask(self._export(session, image), timeout=None)
            if request.no_cache and not request.tags:
                await session.ask([*self._words, "rmi", image], check=False)
        return BuildResult(
            platform=request.platform,
            path=request.destination,
            format=ArchiveFormat.OCI,
            image_id=image,
            digest=await asyncio.to_thread(archive_digest, request.destination),
            steps=record.steps,
            seconds=time.monotonic() - since,
            engine=self.name,
            version=self.version,
            notes=(*record.warnings, *notes),
        )

    @property
    def _words(self) -> list[str]:
        return [self.program, *(self.endpoint.podman if self.name is EngineName.PODMAN else ())]

    async def _build(self, session: Session) -> tuple[Record, list[str]]:
        record = await self._run(session)
        if (made := await self._platform(session)) == _without_variant(session.request.platform):
            return record, []
        if not session.request.no_cache and any(step.state is StepState.CACHED for step in record.steps):
            # Until 1.41 layers of one platform are taken for another where only the platform differs (containers/podman#18723).
            note = f"its cache held this image for {made}, so it was built again without the cache"
            session.report(Message(Level.WARNING, note))
            record = await self._run(replace(session, request=replace(session.request, no_cache=True)))
            made = await self._platform(session)
            if made == _without_variant(session.request.platform):
                return record, [note]
        return record, [f"the image says that it is for {made}, as a base image or the Dockerfile wants it"]

    async def _run(self, session: Session) -> Record:
        async with leftovers.removed(session, self._words, podman=self.name is EngineName.PODMAN):
            return await session.run(self._command(session), StepLinesParser())

    def _command(self, session: Session) -> list[str]:
        request = session.request
        words = [*self._words, "build", f"--iidfile={session.id_file}", *shared_flags(request), *session.dockerfile()]
        # Without --layers, 1.28.2 was seen to leave working containers, or with --force-rm to remove the base image, name and all.
        words += ["--layers", "--force-rm"]
        words += [f"--pull={'always' if request.pull else 'false'}"]
        words += pairs("--build-context", request.build_contexts) + pairs("--annotation", request.annotations)
        words += each("--cache-from", map(_reference, request.cache_from)) + each("--cache-to", map(_reference, request.cache_to))
        # "default" means to it what it does anyway, and is no name that all its versions know.
        words += [f"--network={request.network}"] if request.network not in ("", "default") else []
        words += _isolation(session)
        return [*words, *request.extra, "--", request.context]

    def _export(self, session: Session, image: str) -> list[str]:
        request = session.request
        tag = f":{request.tags[0]}" if request.tags else ""
        if self.name is EngineName.BUILDAH:
            return [*self._words, "push", "--quiet", "--format=oci", image, f"oci-archive:{request.destination}{tag}"]
        # Its push writes where its service runs, its save here. buildah 1.28 packs layers whatever --disable-compression says.
        unpacked = [] if request.packed else ["--uncompressed"]
        return [*self._words, "save", "--quiet", "--format=oci-archive", *unpacked, f"--output={request.destination}", image]

    async def _platform(self, session: Session) -> Platform:
        """Return what the image says that it is for, without the variant, which old versions leave out."""
        image = session.image_id()
        if self.name is EngineName.BUILDAH:
            words = ["inspect", "--type=image", "--format={{.OCIv1.OS}}/{{.OCIv1.Architecture}}", image]
        else:
            words = ["image", "inspect", "--format={{.Os}}/{{.Architecture}}", image]
        done = await session.ask([*self._words, *words])
        return _without_variant(Platform.parse(done.text))


def _without_variant(platform: Platform) -> Platform:
    return replace(platform, variant="")


def _isolation(session: Session) -> list[str]:
    """Return the isolation of a build without network: a chroot has the host's, and says nothing of it (containers/buildah#6696).

    Otherwise the user's variable holds, because some hosts can do no more than that. The words are the defaults of buildah-build(1).
    """
    chosen = {**os.environ, **session.environment}.get("BUILDAH_ISOLATION", "")
    if session.request.network != "none" or chosen != "chroot":
        return []
    return [f"--isolation={'oci' if os.geteuid() == 0 else 'rootless'}"]


def _reference(value: str) -> str:
    """Return the repository of a cache; it knows no other kind, and takes no tag."""
    reference = fields(value).get("ref", value)
    head, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
