"""Members of a zip in one pass, from the local headers; the directory at the end must tell the same.

Source: PKWARE's APPNOTE 6.3.10, sections 4.3 (structure), 4.4 (fields) and 4.5.3 (zip64).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack, unpack_from

from quarterdeck.media.packing import deflate
from quarterdeck.media.packing.entry import Entry, EntryKind
from quarterdeck.media.packing.failures import damaged, shown, unsupported
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.window import Reader, Window
from quarterdeck.media.packing.zip_directory import LOCAL, Record, check_directory, widened
from quarterdeck.media.packing.zip_methods import open_method

_ENCRYPTED = 1 << 0
_DESCRIPTOR = 1 << 3
_UTF8 = 1 << 11
_DESCRIPTOR_MAGIC = b"PK\x07\x08"
_WIDE = 0xFFFFFFFF


class NotStreamableError(Exception):
    """The zip hides where a member ends until its last bytes: it can only be read when all of it is there."""


@dataclass(frozen=True)
class _Header:
    """A local header; sizes in bytes are None when only the descriptor that ``follows`` the content tells them."""

    name: str
    raw_name: bytes
    method: int
    crc: int
    packed: int | None
    size: int | None
    follows: bool
    wide: bool


class _Content:
    """One member's bytes, checked against its header or the descriptor behind it."""

    def __init__(self, window: Window, header: _Header, budget: Budget) -> None:
        self._start = window.position
        self._window = window
        self._header = header
        self._reader: Reader = open_method(window, header.method, packed=header.packed, budget=budget)
        self._crc = 0
        self._size = 0
        self._ended = False
        self.packed = 0

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            MediaError: the content is not what the headers say.
        """
        data = b"" if self._ended else self._reader.read(size)
        if data:
            self._crc = deflate.crc32(data, self._crc)
            self._size += len(data)
            self._check_growth()
        elif not self._ended:
            self._ended = True
            self._check_end()
        return data

    @property
    def record(self) -> tuple[int, int, int]:
        """Checksum, packed and unpacked size, once it is read."""
        return self._crc, self.packed, self._size

    def _check_growth(self) -> None:
        if self._header.size is not None and self._size > self._header.size:
            raise damaged(self._window.name, f"its member '{shown(self._header.name)}' is larger than it says")

    def _check_end(self) -> None:
        self.packed = self._window.position - self._start
        header = self._header
        right = (header.crc, header.packed, header.size) == self.record
        if header.follows and _skip_descriptor(self._window, self.record, wide=header.wide):
            right = True  # and what is zero in the header, or the other way round, does not matter
        if not right:
            raise damaged(self._window.name, f"checksum or size of its member '{shown(header.name)}' is wrong")


def _skip_descriptor(window: Window, record: tuple[int, int, int], *, wide: bool) -> bool:
    """Take the data descriptor if it comes next and tells ``record``."""
    length = _descriptor_length(window, record, wide=wide)
    window.skip(length)
    return length > 0


def _descriptor_length(window: Window, record: tuple[int, int, int], *, wide: bool) -> int:
    """Return the bytes of the data descriptor that tells ``record``, 0 when it is none: its magic is optional, its sizes have 4 or 8."""
    head = window.peek(24)
    skip = 4 if head.startswith(_DESCRIPTOR_MAGIC) else 0
    for long in (wide, not wide):
        length = 20 if long else 12
        told = head[skip : skip + length]
        if len(told) == length and unpack("<IQQ" if long else "<III", told) == record:
            return skip + length
    return 0


def read_zip(window: Window, budget: Budget) -> Iterator[Entry]:
    """Return the members of the zip in ``window``; each must be read to its end before the next is asked for.

    Raises:
        MediaError: it is damaged, cut off, encrypted, or its directory tells of other members.
        NotStreamableError: see there.
    """
    records: dict[int, Record] = {}
    start = window.position
    while window.peek(4) == LOCAL:
        offset = window.position - start
        header = _read_header(window)
        if header.name.endswith("/") and not header.size:
            yield Entry(header.name, EntryKind.FOLDER)
        content = _Content(window, header, budget)
        if not header.name.endswith("/"):
            yield Entry(header.name, EntryKind.FILE, content, header.size)
        while content.read(1 << 20):
            pass
        records[offset] = Record(header.raw_name, header.method, *content.record)
    check_directory(window, records)
    window.drain()


def _read_header(window: Window) -> _Header:
    fixed = window.exactly(30)
    flags, method, crc, packed, size, name_size, extra_size = unpack_from("<HHxxxxIIIHH", fixed, 6)
    raw_name, extra = window.exactly(name_size), window.exactly(extra_size)
    name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if flags & _ENCRYPTED:
        raise unsupported(window.name, f"its member '{shown(name)}' is encrypted")
    wide = _WIDE in (packed, size)
    sizes = widened(extra, (size, packed))
    if sizes is None:
        raise damaged(window.name, f"the header of its member '{shown(name)}' lacks the size")
    size, packed = sizes
    follows = bool(flags & _DESCRIPTOR)
    unknown = follows and not packed
    wide = wide or extra.startswith(b"\x01\x00")
    if unknown and method == 0 and not name.endswith("/") and not _is_empty(window, wide=wide):
        raise NotStreamableError
    return _Header(name, raw_name, method, crc, None if unknown else packed, None if unknown else size, follows, wide)


def _is_empty(window: Window, *, wide: bool) -> bool:
    """Whether the descriptor of an empty member comes next; without its magic it might be zeros of a disk."""
    return window.peek(4) == _DESCRIPTOR_MAGIC and _descriptor_length(window, (0, 0, 0), wide=wide) > 0
