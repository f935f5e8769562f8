"""Opens what is on disk: a layout folder, an OCI archive, an archive of ``docker save``, or a folder of skopeo's ``dir:``."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.archive import ArchiveBlobs, TarFiles
from quarterdeck.build.oci.blobs import FlatBlobs, FolderBlobs, open_inside
from quarterdeck.build.oci.docker_archive import MANIFEST, read_docker_archive, read_file
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.layout import Layout
from quarterdeck.build.oci.model import Index
from quarterdeck.build.oci.read import media_type_of, read_index
from quarterdeck.build.oci.strict_json import LARGEST_DOCUMENT, load_object
from quarterdeck.build.oci.unpack import HEAD, layer_type, unpacked
from quarterdeck.build.oci.write import describe
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError

_INDEX = "index.json"
_MARK = "oci-layout"
_VERSION = "1.0.0"
_CHUNK = 1 << 20
_SPARE = 0.1
"""The part of a disk that is left free when a packed archive is unpacked."""


@contextlib.contextmanager
def open_image(path: Path) -> Iterator[Layout]:
    """Give the images in a folder or archive, which may be packed with gzip or zstd.

    Raises:
        BadImageError: it holds no image, or is damaged or hostile.
        HostError: it cannot be read, or there is no room to unpack it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise HostError("image-unreadable", f"{path} cannot be read", reason=why) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        if not stat.S_ISDIR(mode):
            raise BadImageError("not-an-image", f"{path} is neither a folder nor a file")
        yield _open_folder(path)
        return
    with os.fdopen(handle, "rb") as file, _plain(file) as archive:
        yield _open_archive(archive, path)


def _open_folder(folder: Path) -> Layout:
    if (folder / _MARK).exists():
        _check_mark(_read(folder, _MARK))
        return Layout(FolderBlobs(folder), read_index(_read(folder, _INDEX)))
    if (folder / MANIFEST).exists():
        content = _read(folder, MANIFEST)
        root = describe(content, media_type_of(content))
        return Layout(FlatBlobs(folder, root.digest), Index(media_types.OCI_INDEX, (root,)))
    raise BadImageError("not-an-image", f"{folder} has neither {_MARK} nor {MANIFEST}")


def _open_archive(archive: BinaryIO, path: Path) -> Layout:
    archive.seek(0)
    try:
        files = TarFiles(archive)
    except BadImageError as error:
        raise BadImageError(error.key, f"{path}: {error.reason}") from None
    if _MARK in files and _INDEX in files:
        _check_mark(read_file(files, _MARK))
        return Layout(ArchiveBlobs(files), read_index(read_file(files, _INDEX)))
    if MANIFEST in files:
        return read_docker_archive(files)
    raise BadImageError("not-an-image", f"{path} has neither {_MARK} nor {MANIFEST}")


def _check_mark(content: bytes) -> None:
    version = load_object(content, what=_MARK).text("imageLayoutVersion")
    if version.split(".")[0] != _VERSION.split(".")[0]:
        raise BadImageError("bad-layout", f"its layout has version {version}; {_VERSION} is known")


def _read(folder: Path, name: str) -> bytes:
    try:
        with open_inside(folder, (name,), "") as file:
            content = file.read(LARGEST_DOCUMENT + 1)
    except BlobMissingError:
        raise BadImageError("bad-layout", f"{folder} has no {name}") from None
    if len(content) > LARGEST_DOCUMENT:
        raise BadImageError("document-too-large", f"{name} has more than {LARGEST_DOCUMENT} bytes")
    return content


@contextlib.contextmanager
def _plain(file: BinaryIO) -> Iterator[BinaryIO]:
    """Give the archive itself, or what is packed in it as a nameless file."""
    packed = layer_type(file.read(HEAD)) != media_types.OCI_LAYER
    file.seek(0)
    if not packed:
        yield file
        return
    with tempfile.TemporaryFile() as plain, unpacked(file) as stream:
        room = int(shutil.disk_usage(tempfile.gettempdir()).free * (1 - _SPARE))
        while chunk := stream.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise HostError(
                    "disk-full",
                    f"the archive does not fit into {tempfile.gettempdir()} when it is unpacked",
                    reason=f"{format_size(plain.tell())} of it are there",
                    hint="set TMPDIR to a folder with more room",
                )
            plain.write(chunk)
        plain.flush()
        yield plain
