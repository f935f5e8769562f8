"""Images as ``docker save`` writes them: a manifest.json, configurations, and unpacked layers.

Source: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

from typing import Any

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.archive import NamedBlobs, TarFiles
from quarterdeck.build.oci.blobs import Blobs, ChainedBlobs, MemoryBlobs
from quarterdeck.build.oci.digest import digest_of, digest_of_stream
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import IMAGE_NAME, Layout
from quarterdeck.build.oci.model import Descriptor, ImageConfig, Index, Manifest
from quarterdeck.build.oci.read import LARGEST_MANIFEST, read_config
from quarterdeck.build.oci.strict_json import LARGEST_DOCUMENT, Fields, load_value
from quarterdeck.build.oci.unpack import HEAD, layer_type
from quarterdeck.build.oci.write import describe, manifest_bytes

MANIFEST = "manifest.json"
_MOST_IMAGES = 100


def read_docker_archive(files: TarFiles) -> Layout:
    """Return the images of an archive with OCI manifests made for them; their layers stay as they are, packed or not.

    Raises:
        BadImageError: it is no such archive, or a part of it is missing or damaged.
    """
    entries = load_value(read_file(files, MANIFEST), what=MANIFEST)
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST_IMAGES:
        raise BadImageError("bad-archive", f"{MANIFEST} lists no image, or more than {_MOST_IMAGES}")
    roots: list[Descriptor] = []
    blobs: list[Blobs] = []
    for entry in entries:
        found, place = _image(files, entry)
        roots += found
        blobs.append(place)
    return Layout(ChainedBlobs(blobs), Index(media_types.OCI_INDEX, tuple(roots)))


def read_file(files: TarFiles, name: str) -> bytes:
    """Return a small file of an archive.

    Raises:
        BadImageError: it is missing or too large.
    """
    try:
        with files.open(name) as file:
            content = file.read(LARGEST_DOCUMENT + 1)
    except KeyError:
        raise BadImageError("bad-archive", f"{name} is missing") from None
    if len(content) > LARGEST_DOCUMENT:
        raise BadImageError("document-too-large", f"{name} has more than {LARGEST_DOCUMENT} bytes")
    return content


def _image(files: TarFiles, entry: Any) -> tuple[list[Descriptor], Blobs]:
    if not isinstance(entry, dict):
        raise BadImageError("bad-archive", f"{MANIFEST} holds something that is no object")
    fields = Fields(entry, MANIFEST)
    content = read_file(files, fields.text("Config"))
    config = read_config(content)
    layers = fields.texts("Layers")
    if len(layers) != len(config.diff_ids) or len(layers) > LARGEST_MANIFEST:
        raise BadImageError("bad-archive", f"it has {len(layers)} layers where its configuration names {len(config.diff_ids)}")
    names: dict[str, str] = {}
    described = tuple(_layer(files, layer, diff_id, names) for layer, diff_id in zip(layers, config.diff_ids, strict=True))
    manifest = manifest_bytes(Manifest(media_types.OCI_MANIFEST, describe(content, media_types.OCI_CONFIG), described))
    made = MemoryBlobs({digest_of(blob): blob for blob in (content, manifest)})
    roots = _roots(describe(manifest, media_types.OCI_MANIFEST), config, fields.texts("RepoTags"))
    return roots, ChainedBlobs([made, NamedBlobs(files, names)])


def _layer(files: TarFiles, name: str, diff_id: str, names: dict[str, str]) -> Descriptor:
    """Return a layer's descriptor; unpacked ones have their digest from the configuration, which is proved when they are read."""
    try:
        with files.open(name) as stream:
            head = stream.read(HEAD)
        packed = layer_type(head)
        if packed != media_types.OCI_LAYER:
            with files.open(name) as stream:
                diff_id = digest_of_stream(stream)
        size = files.size(name)
    except KeyError:
        raise BadImageError("bad-archive", f"layer {name} is missing") from None
    names[diff_id] = name
    return Descriptor(packed, diff_id, size)


def _roots(manifest: Descriptor, config: ImageConfig, tags: tuple[str, ...]) -> list[Descriptor]:
    names: list[dict[str, str]] = [{IMAGE_NAME: tag} for tag in tags] or [{}]
    return [
        Descriptor(manifest.media_type, manifest.digest, manifest.size, platform=config.platform, annotations=annotations)
        for annotations in names
    ]
