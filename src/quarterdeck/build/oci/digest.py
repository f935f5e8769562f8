"""Digests: the names of all that an image is made of.

Source: descriptor.md of the OCI image specification 1.1, "Digests" and "Registered Algorithms".
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import BinaryIO, Protocol

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.words import printable

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
CHUNK = 1 << 20
"""Bytes that are read at once of blobs."""


class Hash(Protocol):
    """A running hash, as :mod:`hashlib` has them."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def check_digest(text: str) -> str:
    """Return ``text`` when it is a digest by SHA-256 or SHA-512.

    Raises:
        BadImageError: it is none.
    """
    if not _DIGEST.fullmatch(text):
        raise BadImageError("bad-digest", f"'{printable(text[:200])}' is no SHA-256 or SHA-512 digest")
    return text


def digest_of(content: bytes) -> str:
    """Return the SHA-256 digest of ``content``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_of_stream(stream: BinaryIO) -> str:
    """Return the SHA-256 digest of the rest of ``stream``."""
    running = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        running.update(chunk)
    return f"sha256:{running.hexdigest()}"


def hash_for(digest: str) -> Hash:
    """Return the running hash by the algorithm that ``digest`` names."""
    return hashlib.new(check_digest(digest).partition(":")[0])


class VerifyingReader(io.RawIOBase):
    """Reads a blob to its end and refuses one that is not what its digest says.

    Nothing that was read is proved before the end was reached: :meth:`drain` reads what is left.

    Args:
        stream: where the blob comes from; closed with this reader.
        digest: what the blob's digest has to be.
        size: the blob's size in bytes, which is never exceeded; None: not known.

    Raises:
        BadImageError: from reading, the blob is longer or shorter, or has another digest.
    """

    def __init__(self, stream: BinaryIO, digest: str, size: int | None) -> None:
        super().__init__()
        self._stream = stream
        self._digest = digest
        self._size = size
        self._running = hash_for(digest)
        self._count = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._ended or not view:
            return 0
        chunk = self._stream.read(len(view))
        if not chunk:
            self._end()
            return 0
        self._count += len(chunk)
        if self._size is not None and self._count > self._size:
            raise self._wrong(f"it has more than its {self._size} bytes")
        self._running.update(chunk)
        view[: len(chunk)] = chunk
        return len(chunk)

    def drain(self) -> None:
        """Read what is left, so that the whole blob is proved."""
        while self.read(CHUNK):
            pass

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _end(self) -> None:
        self._ended = True
        if self._size is not None and self._count != self._size:
            raise self._wrong(f"it has {self._count} bytes instead of {self._size}")
        found = f"{self._digest.partition(':')[0]}:{self._running.hexdigest()}"
        if found != self._digest:
            raise self._wrong(f"its content has the digest {found}")

    def _wrong(self, what: str) -> BadImageError:
        return BadImageError("digest-mismatch", f"blob {self._digest}: {what}", hint="fetch or build the image again")
