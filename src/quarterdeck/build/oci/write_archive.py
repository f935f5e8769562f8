"""Writes images as one tar archive, byte for byte the same for the same content."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from quarterdeck.build.oci.blobs import open_verified
from quarterdeck.build.oci.docker_archive import MANIFEST
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.layout import ImageSource, Layout, closure, may_be_absent
from quarterdeck.build.oci.merge import named_roots
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.store import LAYOUT_MARK
from quarterdeck.build.oci.write import index_bytes, to_bytes

Ready = Callable[[], object]
"""Is asked when all is written and before it appears under its name; what it raises is raised, and nothing is left."""


def at_once() -> None:
    """Be ready without waiting for anything."""


def write_archive(layout: Layout, path: Path, *, ready: Ready = at_once) -> None:
    """Write an OCI archive (the transport ``oci-archive:``) to ``path``, which appears whole or not at all.

    Raises:
        BadImageError: a blob is missing or is another one than its digest says.
        OSError: it cannot be written.
    """
    _write(path, layout, {}, ready)


def write_docker_archive(source: ImageSource, path: Path, *, names: Sequence[str] = (), ready: Ready = at_once) -> None:
    """Write one image so that every ``docker load`` and ``podman load`` takes it, called by all ``names``.

    The archive is an OCI layout with the manifest.json of older engines beside it, as Docker itself writes since version 25.

    Raises:
        BadImageError: the source is an index or no image, or a blob is missing or damaged.
        OSError: it cannot be written.
    """
    if not source.root.is_manifest:
        raise BadImageError("not-one-image", "a docker-archive holds one platform's image and no index")
    manifest = source.manifest()
    entry = {
        "Config": _blob_name(manifest.config.digest),
        "RepoTags": list(names) or None,
        "Layers": [_blob_name(layer.digest) for layer in manifest.layers],
    }
    layout = Layout(source.blobs, named_roots(source.root, names))
    _write(path, layout, {MANIFEST: to_bytes([entry])}, ready)


def _write(path: Path, layout: Layout, extra: dict[str, bytes], ready: Ready) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                _fill(archive, layout, extra)
            os.fchmod(file.fileno(), 0o644 & ~_umask())
        ready()
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _fill(archive: tarfile.TarFile, layout: Layout, extra: dict[str, bytes]) -> None:
    files = {"oci-layout": LAYOUT_MARK, "index.json": index_bytes(layout.index), **extra}
    for name, content in files.items():
        _add(archive, name, io.BytesIO(content), len(content))
    held: dict[str, tuple[ImageSource, Descriptor]] = {}
    for source in layout.sources():
        for descriptor in closure(source):
            held.setdefault(descriptor.digest, (source, descriptor))
    _add_folders(archive, held)
    for digest in sorted(held):
        source, descriptor = held[digest]
        try:
            with open_verified(source.blobs, descriptor) as reader:
                _add(archive, _blob_name(digest), reader, descriptor.size)
                reader.drain()
        except BlobMissingError:
            if not may_be_absent(descriptor):
                raise


def _add_folders(archive: tarfile.TarFile, digests: Iterable[str]) -> None:
    """Name the folders: those that skopeo 1.9 has to make by itself it gives to root, which only root may do."""
    for name in sorted({"blobs", *(os.path.dirname(_blob_name(digest)) for digest in digests)}):
        member = tarfile.TarInfo(name)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO | Any, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    try:
        archive.addfile(member, content)
    except OSError as error:
        if error.errno is None:  # what tarfile says of content that is too short
            raise BadImageError("digest-mismatch", f"{name} is shorter than its {size} bytes") from None
        raise


def _blob_name(digest: str) -> str:
    algorithm, _, name = digest.partition(":")
    return f"blobs/{algorithm}/{name}"


def _umask() -> int:
    """Return the process's umask without changing it; source: proc(5), ``/proc/PID/status``, "Umask"."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022
