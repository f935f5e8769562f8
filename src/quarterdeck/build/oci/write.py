"""Indexes, manifests and descriptors as JSON whose bytes depend on nothing but what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quarterdeck.build.oci.digest import digest_of
from quarterdeck.build.oci.model import Descriptor, ImagePlatform, Index, Manifest


def index_bytes(index: Index) -> bytes:
    """Return the index as JSON."""
    value = _without_empty(
        {
            "schemaVersion": 2,
            "mediaType": index.media_type,
            "artifactType": index.artifact_type,
            "manifests": [descriptor_json(one) for one in index.manifests],
            "subject": None if index.subject is None else descriptor_json(index.subject),
            "annotations": _sorted(index.annotations),
        }
    )
    return to_bytes({**value, "manifests": value.get("manifests", [])})


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as JSON."""
    value = _without_empty(
        {
            "schemaVersion": 2,
            "mediaType": manifest.media_type,
            "artifactType": manifest.artifact_type,
            "config": descriptor_json(manifest.config),
            "layers": [descriptor_json(one) for one in manifest.layers],
            "subject": None if manifest.subject is None else descriptor_json(manifest.subject),
            "annotations": _sorted(manifest.annotations),
        }
    )
    return to_bytes({**value, "layers": value.get("layers", [])})


def descriptor_json(descriptor: Descriptor) -> dict[str, Any]:
    """Return a descriptor as a JSON object; fields in the specification's order."""
    required = {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}
    optional = _without_empty(
        {
            "urls": list(descriptor.urls),
            "annotations": _sorted(descriptor.annotations),
            "artifactType": descriptor.artifact_type,
            "platform": None if descriptor.platform is None else _platform_json(descriptor.platform),
        }
    )
    return {**required, **optional}


def describe(content: bytes, media_type: str) -> Descriptor:
    """Return the descriptor of a blob."""
    return Descriptor(media_type, digest_of(content), len(content))


def to_bytes(value: Any) -> bytes:
    """Return a JSON value in its shortest form."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _platform_json(platform: ImagePlatform) -> dict[str, Any]:
    optional = {"os.version": platform.os_version, "os.features": list(platform.os_features), "variant": platform.variant}
    return {"architecture": platform.architecture, "os": platform.os, **_without_empty(optional)}


def _sorted(annotations: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(annotations.items()))


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
