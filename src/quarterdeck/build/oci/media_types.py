"""The media types of OCI and Docker images.

Sources: media-types.md of the OCI image specification 1.1; manifest-v2-2.md of distribution (Docker schema 2).
"""

from __future__ import annotations

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = f"{OCI_LAYER}+gzip"
OCI_LAYER_ZSTD = f"{OCI_LAYER}+zstd"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP = f"{DOCKER_LAYER}.gzip"
DOCKER_LAYER_ZSTD = f"{DOCKER_LAYER}.zstd"
_OCI_UNSHARED = "application/vnd.oci.image.layer.nondistributable.v1.tar"
_DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar"

INDEXES = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})
UNSHARED_LAYERS = frozenset({_OCI_UNSHARED, f"{_OCI_UNSHARED}+gzip", f"{_OCI_UNSHARED}+zstd", _DOCKER_FOREIGN, f"{_DOCKER_FOREIGN}.gzip"})
"""Layers that registries need not have, such as those of Windows."""
LAYERS = (
    frozenset({OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD, f"{DOCKER_LAYER}+zstd"})
    | UNSHARED_LAYERS
)
"""Layers that hold files; anything else in a manifest belongs to an artifact."""
ENCRYPTED_SUFFIX = "+encrypted"
"""What ocicrypt adds to the media type of a layer."""

_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"


def is_schema_1(media_type: str) -> bool:
    """Whether it is Docker's first format of manifests, signed or not."""
    return media_type.startswith(_SCHEMA_1)
