"""An image with all its parts: where the blobs are, and the index that names where to begin.

Source: image-layout.md of the OCI image specification 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.blobs import Blobs, read_document
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.model import Descriptor, ImageConfig, Index, Manifest
from quarterdeck.build.oci.read import read_config, read_index, read_manifest

REF_NAME = "org.opencontainers.image.ref.name"
IMAGE_NAME = "io.containerd.image.name"
_DEEPEST = 4
_MOST_MANIFESTS = 2000


@dataclass(frozen=True)
class ImageSource:
    """One image or index and where its blobs are."""

    blobs: Blobs
    root: Descriptor

    def index(self, descriptor: Descriptor | None = None) -> Index:
        """Return the index that ``descriptor`` names, by default the root."""
        return read_index(read_document(self.blobs, descriptor or self.root))

    def manifest(self, descriptor: Descriptor | None = None) -> Manifest:
        """Return the manifest that ``descriptor`` names, by default the root."""
        return read_manifest(read_document(self.blobs, descriptor or self.root))

    def config(self, manifest: Manifest) -> ImageConfig:
        """Return the configuration of an image."""
        return read_config(read_document(self.blobs, manifest.config))

    def manifests(self) -> Iterator[Descriptor]:
        """Yield the manifests below the root in their order, out of indexes within indexes too; the root itself when it is one.

        Raises:
            BadImageError: indexes nest too deep, or there are too many manifests.
        """
        count = 0
        for count, descriptor in enumerate(self._below(self.root, 0), start=1):
            if count > _MOST_MANIFESTS:
                raise BadImageError("index-too-large", f"there are more than {_MOST_MANIFESTS} manifests")
            yield descriptor

    def _below(self, descriptor: Descriptor, depth: int) -> Iterator[Descriptor]:
        if not descriptor.is_index:
            yield descriptor
            return
        if depth >= _DEEPEST:
            raise BadImageError("index-too-deep", f"indexes nest more than {_DEEPEST} deep")
        for inner in self.index(descriptor).manifests:
            yield from self._below(inner, depth + 1)


@dataclass(frozen=True)
class Layout:
    """What a layout folder or archive holds. ``index`` is its index.json: one entry for each name of an image in it."""

    blobs: Blobs
    index: Index

    def source(self, name: str | None = None) -> ImageSource:
        """Return the image called ``name``: by its full name, its tag or its digest; without a name the only one.

        Raises:
            BadImageError: there is none of that name, or several and no name was given.
        """
        roots = self.index.manifests
        found = [root for root in roots if name is None or name in _names(root)]
        digests = {root.digest for root in found}
        if len(digests) == 1:
            return ImageSource(self.blobs, found[0])
        held = sorted({word for root in roots for word in _names(root)[:2] if word})
        reason = f"it holds {', '.join(held) or 'no image'}" + (f", not {name}" if name else "")
        raise BadImageError(
            "image-not-found" if name or not roots else "image-ambiguous",
            reason,
            message="which image is meant cannot be told",
            hint="name one of them" if held else "",
        )

    def sources(self) -> tuple[ImageSource, ...]:
        """Return all images, each once."""
        roots = {root.digest: root for root in self.index.manifests}
        return tuple(ImageSource(self.blobs, root) for root in roots.values())


def closure(source: ImageSource) -> Iterator[Descriptor]:
    """Yield all blobs that belong to a source, each digest once: contents before what names them.

    Raises:
        BadImageError: a document on the way is damaged or missing.
    """
    seen: set[str] = set()
    for descriptor in _parts(source, source.root, 0):
        if descriptor.digest not in seen:
            seen.add(descriptor.digest)
            yield descriptor


def _parts(source: ImageSource, descriptor: Descriptor, depth: int) -> Iterator[Descriptor]:
    if descriptor.is_index:
        if depth >= _DEEPEST:
            raise BadImageError("index-too-deep", f"indexes nest more than {_DEEPEST} deep")
        for inner in source.index(descriptor).manifests:
            yield from _parts(source, inner, depth + 1)
    elif descriptor.is_manifest:
        manifest = source.manifest(descriptor)
        yield manifest.config
        yield from manifest.layers
    yield descriptor


def may_be_absent(descriptor: Descriptor) -> bool:
    """Whether a layout may do without this blob: a layer that may only be had from its maker."""
    return descriptor.media_type in media_types.UNSHARED_LAYERS and bool(descriptor.urls)


def _names(root: Descriptor) -> tuple[str, ...]:
    return (root.annotations.get(IMAGE_NAME, ""), root.annotations.get(REF_NAME, ""), root.digest)
