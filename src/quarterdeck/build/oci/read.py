"""Reads indexes, manifests and configurations from JSON that nobody vouches for."""

from __future__ import annotations

from types import MappingProxyType

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.digest import check_digest
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.model import Descriptor, History, ImageConfig, ImagePlatform, Index, Manifest
from quarterdeck.build.oci.strict_json import Fields, load_object

LARGEST_INDEX = 1000
"""Manifests in one index."""
LARGEST_MANIFEST = 1000
"""Layers in one manifest; engines stop at 127."""


def read_index(content: bytes) -> Index:
    """Return the index, or manifest list of Docker, that ``content`` is.

    Raises:
        BadImageError: it is none, or of Docker's schema 1.
    """
    fields = load_object(content, what="the index")
    media_type = _media_type(fields, media_types.OCI_INDEX)
    if media_type not in media_types.INDEXES or "layers" in fields.values or "config" in fields.values:
        raise BadImageError("not-an-index", f"the media type {media_type} is that of no index")
    manifests = fields.objects("manifests")
    if len(manifests) > LARGEST_INDEX:
        raise BadImageError("index-too-large", f"the index has {len(manifests)} manifests; {LARGEST_INDEX} are allowed")
    return Index(
        media_type,
        tuple(_descriptor(one) for one in manifests),
        annotations=MappingProxyType(fields.mapping("annotations")),
        artifact_type=fields.text("artifactType", ""),
        subject=_subject(fields),
    )


def read_manifest(content: bytes) -> Manifest:
    """Return the manifest of one image that ``content`` is.

    Raises:
        BadImageError: it is none, or of Docker's schema 1.
    """
    fields = load_object(content, what="the manifest")
    media_type = _media_type(fields, media_types.OCI_MANIFEST)
    config = fields.object("config")
    if media_type not in media_types.MANIFESTS or config is None or "manifests" in fields.values:
        raise BadImageError("not-a-manifest", f"the media type {media_type} or the fields are those of no manifest")
    layers = fields.objects("layers")
    if len(layers) > LARGEST_MANIFEST:
        raise BadImageError("manifest-too-large", f"the manifest has {len(layers)} layers; {LARGEST_MANIFEST} are allowed")
    return Manifest(
        media_type,
        _descriptor(config),
        tuple(_descriptor(one) for one in layers),
        annotations=MappingProxyType(fields.mapping("annotations")),
        artifact_type=fields.text("artifactType", ""),
        subject=_subject(fields),
    )


def read_config(content: bytes) -> ImageConfig:
    """Return what the configuration of an image says of platform, layers and history.

    Raises:
        BadImageError: it is none.
    """
    fields = load_object(content, what="the configuration")
    rootfs = fields.object("rootfs")
    diff_ids = rootfs.texts("diff_ids") if rootfs is not None else ()
    return ImageConfig(
        _platform(fields),
        tuple(check_digest(one) for one in diff_ids),
        tuple(_history(one) for one in fields.objects("history")),
    )


def media_type_of(content: bytes) -> str:
    """Return the media type of an index or manifest by what it says, or by its fields where it says nothing.

    Raises:
        BadImageError: it is neither, or of Docker's schema 1.
    """
    fields = load_object(content, what="the manifest")
    default = media_types.OCI_INDEX if "manifests" in fields.values else media_types.OCI_MANIFEST
    return _media_type(fields, default)


def _media_type(fields: Fields, default: str) -> str:
    media_type = fields.text("mediaType", default)
    if fields.values.get("schemaVersion") == 1 or media_types.is_schema_1(media_type):
        raise BadImageError(
            "docker-schema-1",
            "it is in Docker's schema 1, which no engine builds or reads any more",
            hint="build the image again with a newer engine",
        )
    if fields.number("schemaVersion", 2) != 2:
        raise BadImageError("bad-schema", f"{fields.what} has schema version {fields.number('schemaVersion')}; only 2 is known")
    return media_type


def _subject(fields: Fields) -> Descriptor | None:
    subject = fields.object("subject")
    return None if subject is None else _descriptor(subject)


def _descriptor(fields: Fields) -> Descriptor:
    media_type = fields.text("mediaType")
    if media_types.is_schema_1(media_type):
        raise BadImageError("docker-schema-1", f"{fields.what} is in Docker's schema 1", hint="build the image again with a newer engine")
    platform = fields.object("platform")
    return Descriptor(
        media_type,
        check_digest(fields.text("digest")),
        fields.number("size"),
        platform=None if platform is None else _platform(platform),
        annotations=MappingProxyType(fields.mapping("annotations")),
        artifact_type=fields.text("artifactType", ""),
        urls=fields.texts("urls"),
    )


def _platform(fields: Fields) -> ImagePlatform:
    return ImagePlatform(
        fields.text("os", ""),
        fields.text("architecture", ""),
        fields.text("variant", ""),
        fields.text("os.version", ""),
        fields.texts("os.features"),
    )


def _history(fields: Fields) -> History:
    # What a step says is shown, and may well hold line ends and tabs.
    texts = {name: value for name in ("created_by", "comment") if isinstance(value := fields.values.get(name), str)}
    return History(texts.get("created_by", ""), texts.get("comment", ""), fields.flag("empty_layer"))
