"""Reads tar archives that nobody vouches for, as a stream and in little memory.

The standard library's reader keeps every member, and takes names of any length into memory; layers come compressed, so that a small
file can ask for much. Sources: pax in POSIX.1-2017; the GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.words import printable

BLOCK = 512
_LONGEST_NAME = 64 << 10
_LARGEST_PAX = 1 << 20
_MOST_EXTENSIONS = 1 << 16
_SKIP = 1 << 20


class Kind(StrEnum):
    """What a member is."""

    FILE = "file"
    HARD_LINK = "hard link"
    SYMLINK = "symbolic link"
    FOLDER = "folder"
    OTHER = "other"


_KINDS = {b"0": Kind.FILE, b"\0": Kind.FILE, b"7": Kind.FILE, b"S": Kind.FILE}
_KINDS |= {b"1": Kind.HARD_LINK, b"2": Kind.SYMLINK, b"5": Kind.FOLDER}


@dataclass(frozen=True)
class Member:
    """One member: its ``name`` and ``target`` (of links) as they stand there, bytes that are no UTF-8 as surrogates.

    ``offset`` is where its content begins in the archive and ``size`` its length there, both in bytes; ``head`` is the beginning of
    the file, as long as was asked for.
    """

    name: str
    kind: Kind
    target: str
    offset: int
    size: int
    head: bytes


def members(stream: BinaryIO, *, head: int = 0) -> Iterator[Member]:
    """Yield the members of an archive, with the first ``head`` bytes of each file; nothing else of the content is kept.

    Raises:
        BadImageError: it is no tar archive, is cut short, or breaks its rules.
    """
    return _Reader(stream, head).members()


class _Reader:
    """The place in an archive, and what extension headers said about the member to come."""

    def __init__(self, stream: BinaryIO, head: int) -> None:
        self._stream = stream
        self._head = head
        self._offset = 0
        self._extensions: dict[str, str] = {}
        self._everywhere: dict[str, str] = {}

    def members(self) -> Iterator[Member]:
        extensions = 0
        while (header := self._header()) is not None:
            kind = header[156:157]
            size = _number(header[124:136])
            if kind in (b"x", b"g", b"L", b"K"):
                extensions += 1
                if extensions > _MOST_EXTENSIONS:
                    raise _bad("a member has too many extension headers")
                self._extend(kind, size)
                continue
            extensions = 0
            yield self._member(header, kind, size)
            self._extensions = {}

    def _header(self) -> bytes | None:
        """Return the next header block, None at the end of the archive; a single block of zeros between members is passed over."""
        zeros = 0
        while zeros < 2:
            block = self._read(BLOCK, may_end=True)
            if not block:
                return None
            if any(block):
                _check_sum(block)
                return block
            zeros += 1
        return None

    def _extend(self, kind: bytes, size: int) -> None:
        """Take in an extension header."""
        limit = _LARGEST_PAX if kind in b"xg" else _LONGEST_NAME
        if size > limit:
            raise _bad(f"an extension header has {size} bytes; {limit} are allowed")
        content = self._read(size)
        self._skip(-size % BLOCK)
        if kind == b"L":
            self._extensions["path"] = _text(content)
        elif kind == b"K":
            self._extensions["linkpath"] = _text(content)
        elif kind == b"g":
            self._everywhere |= _pax(content)
        else:
            self._extensions |= _pax(content)

    def _member(self, header: bytes, kind: bytes, size: int) -> Member:
        said = {**self._everywhere, **self._extensions}
        if "size" in said:
            size = _decimal(said["size"])
        what = _KINDS.get(kind, Kind.OTHER)
        name = said.get("GNU.sparse.name") or said.get("path") or _ustar_name(header)
        if what is Kind.FILE and name.endswith("/"):
            what = Kind.FOLDER  # how tar archives before POSIX said it
        if kind == b"S":
            self._skip_sparse_map(header)
        offset, stored = self._offset, size if what in (Kind.FILE, Kind.OTHER) else 0
        if what in (Kind.HARD_LINK, Kind.SYMLINK, Kind.FOLDER) and "size" in said:
            stored = size
        head = self._content(stored, said) if what is Kind.FILE else b""
        self._skip(offset + stored + -stored % BLOCK - self._offset)
        target = said.get("linkpath") or _text(header[157:257])
        return Member(name, what, target, offset, size, head)

    def _content(self, stored: int, said: dict[str, str]) -> bytes:
        """Return the beginning of a file's content."""
        rest = stored
        if said.get("GNU.sparse.major") == "1":
            rest -= self._skip_pax_map(rest)
        return self._read(min(self._head, max(rest, 0)))

    def _skip_sparse_map(self, header: bytes) -> None:
        """Pass over the blocks that say where the data of a sparse file goes; its first data is its beginning, if that is no hole."""
        more = header[482]
        for _ in range(_MOST_EXTENSIONS):
            if not more:
                return
            more = self._read(BLOCK)[504]
        raise _bad("a sparse file has too many pieces")

    def _skip_pax_map(self, room: int) -> int:
        """Pass over the same in version 1.0, where it stands as lines before the data; return its bytes."""
        lines, wanted, taken = 0, 1, 0
        while lines < wanted:
            if taken >= min(room, _LARGEST_PAX):
                raise _bad("the map of a sparse file does not end")
            block = self._read(BLOCK)
            taken += BLOCK
            if not lines:
                wanted += 2 * _decimal(block.partition(b"\n")[0].decode("ascii", "replace"))
            lines += block.count(b"\n")
        return taken

    def _read(self, size: int, *, may_end: bool = False) -> bytes:
        pieces: list[bytes] = []
        left = size
        while left and (piece := self._stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
        self._offset += size - left
        if left and not (may_end and left == size):
            raise _bad("it is cut short")
        return b"".join(pieces)

    def _skip(self, size: int) -> None:
        if size < 0:
            raise _bad("a member is shorter than its own map")
        while size:
            piece = self._stream.read(min(size, _SKIP))
            if not piece:
                raise _bad("it is cut short")
            size -= len(piece)
            self._offset += len(piece)


def _check_sum(block: bytes) -> None:
    """Check the sum of the header's bytes, in which its own field counts as spaces; old writers took them as signed."""
    given = _number(block[148:156])
    rest = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(rest)
    if given != unsigned and given != unsigned - 256 * sum(byte > 127 for byte in rest):
        raise _bad("a header has a wrong checksum, or this is no tar archive")


def _ustar_name(header: bytes) -> str:
    name = _text(header[:100])
    # GNU tar has times in the place of POSIX' prefix.
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode(errors="surrogateescape")


def _number(content: bytes) -> int:
    """Return an octal number, or GNU's binary form for large ones."""
    if content[0] & 0x80:
        value = int.from_bytes(bytes([content[0] & 0x7F]) + content[1:], "big")
        if content[0] & 0x40 or value >= 1 << 63:
            raise _bad("a number is negative or too large")
        return value
    text = content.partition(b"\0")[0].strip()
    if not text:
        return 0
    if any(byte not in b"01234567" for byte in text):
        raise _bad(f"'{printable(text.decode('ascii', 'replace'))}' is no octal number, or this is no tar archive")
    return int(text, 8)


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _bad(f"'{printable(text[:40])}' is no size")
    return int(text)


def _pax(content: bytes) -> dict[str, str]:
    """Return the records of an extended header: ``LENGTH KEY=VALUE`` and a line end."""
    found: dict[str, str] = {}
    place = 0
    while place < len(content) and content[place]:
        digits, _, _ = content[place : place + 20].partition(b" ")
        length = _decimal(digits.decode("ascii", "replace"))
        record = content[place : place + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if len(record) != length or not equals or record[-1:] != b"\n":
            raise _bad("an extended header is damaged")
        found[key.decode(errors="surrogateescape")] = value.decode(errors="surrogateescape")
        place += length
    return found


def _bad(reason: str) -> BadImageError:
    return BadImageError("bad-archive", reason, message="this is not a sound tar archive")
