"""Where the blobs of an image are: a folder, an archive, memory, or several of these."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from quarterdeck.build.oci.digest import VerifyingReader, check_digest
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.strict_json import LARGEST_DOCUMENT


class Blobs(Protocol):
    """Blobs by digest; what is read from one is not proved to be what the digest says."""

    def open(self, digest: str) -> BinaryIO:
        """Open a blob.

        Raises:
            BlobMissingError: it is not there.
            BadImageError: what is there is no plain file.
        """
        ...


def open_verified(blobs: Blobs, descriptor: Descriptor) -> VerifyingReader:
    """Open a blob for reading; the reader raises BadImageError when it is another one than the descriptor says."""
    return VerifyingReader(blobs.open(descriptor.digest), descriptor.digest, descriptor.size)


def read_document(blobs: Blobs, descriptor: Descriptor) -> bytes:
    """Return a blob that is a JSON document, proved by its digest.

    Raises:
        BlobMissingError: it is not there.
        BadImageError: it is too large or another one than the descriptor says.
    """
    if descriptor.size > LARGEST_DOCUMENT:
        raise BadImageError("document-too-large", f"{descriptor.digest} has {descriptor.size} bytes; {LARGEST_DOCUMENT} are allowed")
    with open_verified(blobs, descriptor) as reader:
        return reader.readall()


class MemoryBlobs:
    """Blobs that were just made."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs

    def open(self, digest: str) -> BinaryIO:
        if digest not in self._blobs:
            raise BlobMissingError(digest)
        return io.BytesIO(self._blobs[digest])


class FolderBlobs:
    """The blobs of an OCI layout folder, ``blobs/sha256/...``; links are not followed, so nothing outside of it is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, digest: str) -> BinaryIO:
        algorithm, _, name = check_digest(digest).partition(":")
        return open_inside(self._folder, ("blobs", algorithm, name), digest)


class FlatBlobs:
    """The blobs of a folder of skopeo's transport ``dir:``: manifests as ``HEX.manifest.json``, all else as ``HEX``.

    Source: containers-transports(5); the first manifest is ``manifest.json``, whose digest is ``root``.
    """

    def __init__(self, folder: Path, root: str) -> None:
        self._folder = folder
        self._root = root

    def open(self, digest: str) -> BinaryIO:
        _, _, name = check_digest(digest).partition(":")
        if digest == self._root:
            return open_inside(self._folder, ("manifest.json",), digest)
        for file in (f"{name}.manifest.json", name):
            try:
                return open_inside(self._folder, (file,), digest)
            except BlobMissingError:
                continue
        raise BlobMissingError(digest)


class ChainedBlobs:
    """Blobs of several places; the first that has one gives it."""

    def __init__(self, places: Sequence[Blobs]) -> None:
        self._places = tuple(dict.fromkeys(places))

    def open(self, digest: str) -> BinaryIO:
        for place in self._places:
            try:
                return place.open(digest)
            except BlobMissingError:
                continue
        raise BlobMissingError(digest)


def open_inside(folder: Path, names: Sequence[str], digest: str) -> BinaryIO:
    """Open a plain file below ``folder`` without following a link on the way.

    Raises:
        BlobMissingError: it is not there; it is called ``digest`` then.
        BadImageError: a link or something else is there.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for index, name in enumerate(names):
            last = index == len(names) - 1
            # Without O_NONBLOCK the open of a pipe that nobody writes to would wait for ever.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_NONBLOCK if last else os.O_DIRECTORY)
            inner = os.open(name, flags, dir_fd=place)
            os.close(place)
            place = inner
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise BadImageError("bad-layout", f"{'/'.join(names)} is no plain file")
    except FileNotFoundError:
        os.close(place)
        raise BlobMissingError(digest) from None
    except BadImageError:
        os.close(place)
        raise
    except OSError as error:
        os.close(place)
        raise BadImageError("bad-layout", f"{'/'.join(names)} cannot be read, or is a link: {error.strerror}") from None
    return os.fdopen(place, "rb")
