"""What a build is asked for and what it gave, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from quarterdeck.build.engines.events import BuildStep, StepState
from quarterdeck.build.engines.settings import BuildSettings
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class BuildRequest(BuildSettings):
    """One platform of one image.

    Attributes:
        platform: what the image is for.
        destination: the archive to write; its folder exists and is writable.
        dockerfile: its path; None for the one of the context. Or ``dockerfile_text``, its content.
        tags: names that the image gets, in the archive and in the engine's own store where it has one.
        emulated: whether programs of the platform are emulated there, which says more about failures.
    """

    platform: Platform
    destination: Path
    dockerfile: Path | None = None
    dockerfile_text: str | None = None
    tags: tuple[str, ...] = ()
    name: str = ""
    emulated: bool = False

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
