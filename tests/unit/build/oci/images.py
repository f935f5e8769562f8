"""Images made by hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.blobs import MemoryBlobs
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor, ImagePlatform, Index, Manifest
from quarterdeck.build.oci.write import describe, index_bytes, manifest_bytes
from quarterdeck.core.arch import find_arch

AMD64 = find_arch("x86_64").elf.example()
ARM64 = find_arch("aarch64").elf.example()


def layer(*entries: tuple[str, bytes | str] | tarfile.TarInfo, packed: bool = False) -> bytes:
    """Return a layer: bytes are files, texts targets of symbolic links; folders end in a slash."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            name, content = entry
            member = tarfile.TarInfo(name.rstrip("/"))
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                member.mode = 0o755 if content.startswith(b"\x7fELF") else 0o644
                archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0) if packed else buffer.getvalue()


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    """Return the member that is a hard link."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.LNKTYPE, target
    return member


class Shelf:
    """Blobs under construction."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def add(self, content: bytes, media_type: str) -> Descriptor:
        """Keep a blob and return its descriptor."""
        found = describe(content, media_type)
        self.blobs[found.digest] = content
        return found

    def image(
        self,
        platform: ImagePlatform,
        layers: Sequence[bytes],
        *,
        annotations: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Descriptor:
        """Return the descriptor of an image, with its platform, as an index lists it."""
        plain = [gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in layers]
        value = {
            "os": platform.os,
            "architecture": platform.architecture,
            **({"variant": platform.variant} if platform.variant else {}),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(one).hexdigest()}" for one in plain]},
            "history": [{"created_by": f"COPY step {number}"} for number, _ in enumerate(layers)],
            **(config or {}),
        }
        described = [self.add(one, media_types.OCI_LAYER_GZIP if one[:2] == b"\x1f\x8b" else media_types.OCI_LAYER) for one in layers]
        configured = self.add(json.dumps(value).encode(), media_types.OCI_CONFIG)
        manifest = Manifest(media_types.OCI_MANIFEST, configured, tuple(described), annotations=annotations or {})
        found = self.add(manifest_bytes(manifest), media_types.OCI_MANIFEST)
        return Descriptor(found.media_type, found.digest, found.size, platform=platform)

    def attestation(self, subject: str) -> Descriptor:
        """Return the descriptor of an attestation about the image ``subject``."""
        config = self.add(b"{}", media_types.OCI_CONFIG)
        statement = self.add(b'{"predicate":{}}', "application/vnd.in-toto+json")
        found = self.add(manifest_bytes(Manifest(media_types.OCI_MANIFEST, config, (statement,))), media_types.OCI_MANIFEST)
        annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject}
        platform = ImagePlatform("unknown", "unknown")
        return Descriptor(found.media_type, found.digest, found.size, platform=platform, annotations=annotations)

    def index(self, *entries: Descriptor) -> ImageSource:
        """Return an index of these entries as a source."""
        return ImageSource(MemoryBlobs(self.blobs), self.add(index_bytes(Index(media_types.OCI_INDEX, entries)), media_types.OCI_INDEX))

    def source(self, root: Descriptor) -> ImageSource:
        """Return a source whose root this is."""
        return ImageSource(MemoryBlobs(self.blobs), root)


LINUX_AMD64 = ImagePlatform("linux", "amd64")
LINUX_ARM64 = ImagePlatform("linux", "arm64")
