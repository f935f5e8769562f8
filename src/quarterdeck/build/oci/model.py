"""What an image is made of, as values.

Sources: descriptor.md, image-index.md, manifest.md and config.md of the OCI image specification 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quarterdeck.build.oci import media_types
from quarterdeck.build.platform import Platform

ATTESTATION_TYPE = "vnd.docker.reference.type"
ATTESTATION_SUBJECT = "vnd.docker.reference.digest"
_ATTESTATION = "attestation-manifest"
_UNKNOWN = "unknown"

NOTHING: Mapping[str, str] = MappingProxyType({})


def nothing() -> Mapping[str, str]:
    """Return the annotations of what has none."""
    return NOTHING


@dataclass(frozen=True)
class ImagePlatform:
    """A platform with the words that an image spells it in; ``os_version`` and ``os_features`` are those of Windows."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    @classmethod
    def of(cls, platform: Platform) -> ImagePlatform:
        """Return the platform as images spell it."""
        return cls(platform.os, platform.architecture, platform.variant)

    @property
    def unknown(self) -> bool:
        """Whether it says that it has no platform, as attestations do."""
        return _UNKNOWN in (self.os, self.architecture) or not (self.os and self.architecture)

    @property
    def normal(self) -> Platform:
        """The platform in its normal form."""
        return Platform.normal(self.os, self.architecture, self.variant)


@dataclass(frozen=True)
class Descriptor:
    """Names a blob: ``media_type``, ``digest``, ``size`` in bytes. An embedded copy of the blob (``data``) is not kept."""

    media_type: str
    digest: str
    size: int
    platform: ImagePlatform | None = None
    annotations: Mapping[str, str] = field(default_factory=nothing)
    artifact_type: str = ""
    urls: tuple[str, ...] = ()

    @property
    def attests(self) -> str | None:
        """The digest of the manifest that this attestation is about, None for all that is no attestation.

        Source: BuildKit, docs/attestations/attestation-storage.md.
        """
        if self.annotations.get(ATTESTATION_TYPE) != _ATTESTATION:
            return None
        return self.annotations.get(ATTESTATION_SUBJECT, "")

    @property
    def is_index(self) -> bool:
        """Whether it names a list of manifests."""
        return self.media_type in media_types.INDEXES

    @property
    def is_manifest(self) -> bool:
        """Whether it names the manifest of one image."""
        return self.media_type in media_types.MANIFESTS


@dataclass(frozen=True)
class Index:
    """A list of manifests, one for each platform."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=nothing)
    artifact_type: str = ""
    subject: Descriptor | None = None


@dataclass(frozen=True)
class Manifest:
    """One image: its configuration and its layers, the lowest first."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=nothing)
    artifact_type: str = ""
    subject: Descriptor | None = None

    @property
    def is_image(self) -> bool:
        """Whether it is a container image and no artifact, such as an attestation or a chart."""
        return self.config.media_type in media_types.CONFIGS and not self.artifact_type


@dataclass(frozen=True)
class History:
    """One step that made an image; ``empty`` when it made no layer."""

    created_by: str
    comment: str = ""
    empty: bool = False


@dataclass(frozen=True)
class ImageConfig:
    """What an image's configuration says: its platform, the digests of its unpacked layers, the steps that made them."""

    platform: ImagePlatform
    diff_ids: tuple[str, ...]
    history: tuple[History, ...] = ()

    def made_by(self, layer: int) -> str:
        """Return the step that made layer number ``layer`` from below, counted from 0; empty where the image does not say."""
        steps = [step for step in self.history if not step.empty]
        return steps[layer].created_by if layer < len(steps) == len(self.diff_ids) else ""
