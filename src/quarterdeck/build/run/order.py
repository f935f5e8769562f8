"""What the user ordered, and the request for each platform that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.cache import for_platform


@dataclass(frozen=True, kw_only=True)
class BuildOrder:
    """One image for several platforms; fields that :class:`BuildRequest` has too mean the same there.

    Attributes:
        dockerfile: as parsed; ``file`` is its path, None when it came from standard input.
        engine: the engine to build with where a node has several, None for the first that can.
        keep_going: whether the other platforms are built on when one failed.
    """

    context: str
    dockerfile: Dockerfile
    file: Path | None
    platforms: tuple[Platform, ...]
    target: str = ""
    build_args: Mapping[str, str | None] = field(default_factory=dict)
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False
    network: str = ""
    add_hosts: tuple[str, ...] = ()
    provenance: str | None = None
    sbom: str | None = None
    extra: tuple[str, ...] = ()
    step_timeout: float | None = None
    engine: EngineName | None = None
    keep_going: bool = False

    def request(self, platform: Platform, destination: Path, *, emulated: bool) -> BuildRequest:
        """Return what an engine is asked for; ``destination`` is the archive that it writes."""
        several = len(self.platforms) > 1
        return BuildRequest(
            context=self.context,
            platform=platform,
            destination=destination,
            # buildah takes what is relative to be relative to the context too, and then misses NAME.dockerignore beside it.
            dockerfile=self.file.absolute() if self.file is not None else None,
            dockerfile_text=self.dockerfile.text if self.file is None else None,
            target=self.target,
            build_args=self.build_args,
            build_contexts=self.build_contexts,
            secrets=self.secrets,
            ssh=self.ssh,
            labels=self.labels,
            annotations=self.annotations,
            cache_from=tuple(one for text in self.cache_from for one in (for_platform(text, platform, several=several), text)),
            cache_to=tuple(for_platform(text, platform, several=several) for text in self.cache_to),
            no_cache=self.no_cache,
            pull=self.pull,
            network=self.network,
            add_hosts=self.add_hosts,
            provenance=self.provenance,
            sbom=self.sbom,
            extra=self.extra,
            emulated=emulated,
            step_timeout=self.step_timeout,
        )
