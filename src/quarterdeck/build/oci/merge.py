"""Makes one index of the images of several platforms, without a registry.

Source: image-index.md of the OCI image specification 1.1; attestations as BuildKit's docs/attestations/attestation-storage.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.blobs import ChainedBlobs, MemoryBlobs
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import IMAGE_NAME, REF_NAME, ImageSource, Layout
from quarterdeck.build.oci.model import NOTHING, Descriptor, ImagePlatform, Index
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.write import describe, index_bytes
from quarterdeck.build.platform import Platform

_UNKNOWN = ImagePlatform("unknown", "unknown")
_NAMES = frozenset({REF_NAME, IMAGE_NAME, "org.opencontainers.image.created", "config.digest"})
"""Annotations of a root that say how it was called where it came from, or when it was written there."""


def merge(
    results: Mapping[Platform, ImageSource],
    *,
    attestations: bool = True,
    annotations: Mapping[str, str] = NOTHING,
    names: Sequence[str] = (),
) -> Layout:
    """Return a layout whose only image is an index of ``results``, in their order.

    Args:
        results: the image of each platform; a source that is an index gives the one manifest of that platform.
        attestations: whether provenance and SBOMs that belong to these manifests come along.
        annotations: of the new index; those of the manifests stay as they are.
        names: what the index is called, each with its tag.

    Raises:
        BadImageError: there is no result, a source has no image of its platform or several, or another platform is in it.
        UsageError: a name is none.
    """
    if not results:
        raise BadImageError("index-empty", "there is no image to merge", message="an index of no image cannot be made")
    chosen = {platform: _choose(source, platform) for platform, source in results.items()}
    manifests = list(_once(chosen.values()))
    if attestations:
        manifests += _attestations(results, chosen)
    content = index_bytes(Index(media_types.OCI_INDEX, tuple(manifests), annotations=annotations))
    root = describe(content, media_types.OCI_INDEX)
    blobs = ChainedBlobs([MemoryBlobs({root.digest: content}), *(source.blobs for source in results.values())])
    return Layout(blobs, named_roots(root, names))


def single(source: ImageSource, platform: Platform) -> ImageSource:
    """Return the image of ``platform`` alone out of a source that may be an index.

    Raises:
        BadImageError: there is none, or there are several.
    """
    return ImageSource(source.blobs, _choose(source, platform))


def named_roots(root: Descriptor, names: Sequence[str] = ()) -> Index:
    """Return the index.json in which ``root`` is called by all ``names``; engines read the full name, skopeo the tag.

    Raises:
        UsageError: a name is none.
    """
    bare = dataclasses.replace(root, platform=None, annotations=NOTHING)
    if not names:
        return Index(media_types.OCI_INDEX, (bare,))
    references = [Reference.parse(name).with_default_tag() for name in dict.fromkeys(names)]
    return Index(media_types.OCI_INDEX, tuple(_named(bare, reference) for reference in references))


def _named(root: Descriptor, reference: Reference) -> Descriptor:
    names = {IMAGE_NAME: str(reference), **({REF_NAME: reference.tag} if reference.tag else {})}
    return dataclasses.replace(root, annotations=MappingProxyType(names))


def _choose(source: ImageSource, platform: Platform) -> Descriptor:
    """Return the descriptor of the image of ``platform``, with the platform that its own configuration says."""
    candidates = [one for one in source.manifests() if one.is_manifest and one.attests is None]
    if len(candidates) > 1:
        candidates = [one for one in candidates if one.platform is None or one.platform.normal == platform]
    fitting = {one.digest: (one, found) for one in candidates if (found := _platform(source, one, platform)) is not None}
    if len(fitting) != 1:
        reason = f"it has {len(fitting)} images of {platform}" if fitting else f"it has no image of {platform}"
        raise BadImageError("platform-not-found", reason, message=f"the result for {platform} cannot be merged")
    descriptor, found = next(iter(fitting.values()))
    return dataclasses.replace(descriptor, platform=found, annotations=_kept(descriptor.annotations))


def _platform(source: ImageSource, descriptor: Descriptor, wanted: Platform) -> ImagePlatform | None:
    """Return the platform of an image when it is the one wanted; builders do not always write the variant."""
    manifest = source.manifest(descriptor)
    if not manifest.is_image:
        return None
    said = source.config(manifest).platform
    same = said.normal == wanted or (not said.variant and said.normal.architecture == wanted.architecture and said.normal.os == wanted.os)
    if not same:
        return None
    return dataclasses.replace(said, os=wanted.os, architecture=wanted.architecture, variant=wanted.variant)


def _kept(annotations: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: value for name, value in annotations.items() if name not in _NAMES})


def _once(descriptors: Iterable[Descriptor]) -> Iterator[Descriptor]:
    """Yield descriptors in their order, one for each digest and platform."""
    seen: set[tuple[str, ImagePlatform | None]] = set()
    for one in descriptors:
        key = (one.digest, one.platform)
        if key not in seen:
            seen.add(key)
            yield one


def _attestations(results: Mapping[Platform, ImageSource], chosen: Mapping[Platform, Descriptor]) -> Iterator[Descriptor]:
    """Yield the attestations about the images that were chosen; without their image they would be entries of no platform for nothing."""
    seen: set[str] = set()
    for platform, source in results.items():
        for one in source.manifests():
            if one.attests == chosen[platform].digest and one.digest not in seen:
                seen.add(one.digest)
                yield dataclasses.replace(one, platform=_UNKNOWN, annotations=_kept(one.annotations))
