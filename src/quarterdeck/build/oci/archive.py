"""Files inside a tar archive on disk, read in place; links lead only to other members."""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Mapping
from typing import BinaryIO

from quarterdeck.build.oci.digest import check_digest
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.tar import Kind, Member, members
from quarterdeck.build.oci.words import printable

_MOST_MEMBERS = 100_000
_MOST_LINKS = 16


class _Piece(io.RawIOBase):
    """A part of an open file, with a place of its own; many may be read at the same time."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._handle = file.fileno()
        self._file = file  # keeps it open
        self._next = offset
        self._end = offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = os.pread(self._handle, min(len(view), self._end - self._next), self._next)
        view[: len(piece)] = piece
        self._next += len(piece)
        return len(piece)


class TarFiles:
    """The files of an archive by their names.

    Args:
        file: an uncompressed tar archive on disk; it has to stay open.

    Raises:
        BadImageError: it is no sound archive, or a name leads out of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: dict[str, Member] = {}
        for number, member in enumerate(members(file)):
            if number >= _MOST_MEMBERS:
                raise BadImageError("bad-archive", f"it has more than {_MOST_MEMBERS} members")
            self._members[_inside(member.name)] = member

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> BinaryIO:
        """Open a file, or the file that a link leads to.

        Raises:
            KeyError: it is not there.
            BadImageError: the link leads out of the archive, in a circle, or to something that is no file.
        """
        member = self._file_at(name)
        return io.BufferedReader(_Piece(self._file, member.offset, member.size))

    def size(self, name: str) -> int:
        """Return the bytes of a file, or of the file that a link leads to; raises as :meth:`open`."""
        return self._file_at(name).size

    def _file_at(self, name: str) -> Member:
        place = _inside(name)
        for _ in range(_MOST_LINKS):
            member = self._members[place]
            if member.kind is Kind.FILE:
                return member
            place = _target(place, member)
        raise BadImageError("bad-archive", f"the links at '{printable(name)}' do not end")


class ArchiveBlobs:
    """The blobs of an OCI layout in an archive."""

    def __init__(self, files: TarFiles) -> None:
        self._files = files

    def open(self, digest: str) -> BinaryIO:
        algorithm, _, name = check_digest(digest).partition(":")
        try:
            return self._files.open(f"blobs/{algorithm}/{name}")
        except KeyError:
            raise BlobMissingError(digest) from None


class NamedBlobs:
    """Blobs that have other names in an archive than their digests, as ``docker save`` writes them."""

    def __init__(self, files: TarFiles, names: Mapping[str, str]) -> None:
        self._files = files
        self._names = names

    def open(self, digest: str) -> BinaryIO:
        try:
            return self._files.open(self._names[digest])
        except KeyError:
            raise BlobMissingError(digest) from None


def _inside(name: str) -> str:
    """Return the normal form of a member's name.

    Raises:
        BadImageError: it leads out of the archive.
    """
    if name.startswith("/") or ".." in name.split("/"):
        raise BadImageError("archive-escape", f"'{printable(name[:200])}' leads out of the archive", message="this archive is hostile")
    return posixpath.normpath(name)


def _target(place: str, member: Member) -> str:
    if member.kind is Kind.HARD_LINK:
        return _inside(member.target)
    if member.kind is not Kind.SYMLINK:
        raise BadImageError("bad-archive", f"'{printable(place)}' is no file")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place), member.target))
    return _inside(target)
