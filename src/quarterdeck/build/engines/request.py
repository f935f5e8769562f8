"""What a build is asked for and what it gave, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from quarterdeck.build.engines.events import BuildStep, StepState
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One platform of one image.

    Attributes:
        context: a folder, or a URL that the engine fetches itself.
        platform: what the image is for.
        destination: the archive to write; its folder exists and is writable.
        dockerfile: its path; None for the one of the context. Or ``dockerfile_text``, its content.
        target: the stage to build, empty for the last.
        build_args: a value of None is taken from the environment.
        secrets, ssh, cache_from, cache_to: as BuildKit writes them (``id=token,src=FILE``; ``type=registry,ref=NAME``).
        annotations: of the image's manifest.
        network: ``default``, ``none`` or ``host`` for all RUN, empty for what the engine does.
        provenance, sbom: as ``docker buildx build`` takes them; None for what the engine does.
        tags: names that the image gets, in the archive and in the engine's own store where it has one.
        extra: arguments for the engine, untouched.
        emulated: whether programs of the platform are emulated there, which says more about failures.
        step_timeout: seconds without any output after which the build is ended; None to wait for ever.
    """

    context: str
    platform: Platform
    destination: Path
    dockerfile: Path | None = None
    dockerfile_text: str | None = None
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
    tags: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    name: str = ""
    emulated: bool = False
    step_timeout: float | None = None

    def __post_init__(self) -> None:
        if self.dockerfile is not None and self.dockerfile_text is not None:
            raise UsageError("two-dockerfiles", "a build has one Dockerfile: a path or a text")


class ArchiveFormat(StrEnum):
    """What the archive of a build is, in the words of containers-transports(5)."""

    OCI = "oci-archive"
    DOCKER = "docker-archive"


@dataclass(frozen=True)
class StepTime:
    """How a step ended and the seconds it took, None when the engine did not say."""

    step: BuildStep
    state: StepState
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """A finished build.

    Attributes:
        path: the archive; its index has one image, and that image's attestations where the engine makes some.
        image_id: digest of the image's configuration, empty when the engine does not say.
        digest: digest of what the archive's index names, empty for archives of Docker, which have none.
        seconds: the whole build by the clock, with the export.
        metadata: what the engine wrote about its build (``--metadata-file``), empty when it writes none.
        notes: lines worth reading.
    """

    platform: Platform
    path: Path
    format: ArchiveFormat
    image_id: str
    digest: str
    steps: tuple[StepTime, ...]
    seconds: float
    engine: EngineName
    version: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
