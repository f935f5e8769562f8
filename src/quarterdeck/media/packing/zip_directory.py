"""The central directory of a zip, held against the members that were read.

A zip whose directory and local headers disagree shows one content to one program and another to the next.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from struct import unpack_from

from quarterdeck.media.packing.failures import damaged, shown, unsafe
from quarterdeck.media.packing.window import Window

LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_WIDE = 0xFFFFFFFF
_ZIP64 = 1


@dataclass(frozen=True)
class Record:
    """What a member is, told twice in every zip; sizes in bytes."""

    name: bytes
    method: int
    crc: int
    packed: int
    size: int


def widened(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return ``values`` with those that are 0xffffffff taken from the zip64 field in ``extra``, in order; None when it is not there."""
    if _WIDE not in values:
        return values
    field = _zip64_field(extra)
    wide: list[int] = []
    for value in values:
        if value != _WIDE:
            wide.append(value)
        elif len(field) < 8:
            return None
        else:
            wide.append(int.from_bytes(field[:8], "little"))
            field = field[8:]
    return tuple(wide)


def _zip64_field(extra: bytes) -> bytes:
    while len(extra) >= 4:
        kind, size = unpack_from("<HH", extra)
        if kind == _ZIP64:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return b""


def check_directory(window: Window, records: dict[int, Record]) -> None:
    """Take the directory from ``window`` and hold it against ``records``, which are keyed by the offset of their local header.

    Raises:
        MediaError: it is damaged or cut off, tells of other members, or one of them is a link or device.
    """
    seen: set[int] = set()
    while window.peek(4) == _CENTRAL:
        offset, record, mode = _read_central(window)
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or not stat.S_IFMT(mode)):
            kind = "link" if stat.S_ISLNK(mode) else "device or pipe"
            raise unsafe(window.name, f"its member '{shown(record.name.decode('utf-8', 'replace'))}' is a {kind}")
        if offset in seen or records.get(offset) != record:
            raise unsafe(window.name, "its directory and its members do not tell the same")
        seen.add(offset)
    if len(seen) < len(records):
        raise unsafe(window.name, "it holds members that its directory does not name")
    _check_end(window)


def _read_central(window: Window) -> tuple[int, Record, int]:
    fixed = window.exactly(46)
    method, crc, packed, size = unpack_from("<HxxxxIII", fixed, 10)
    name_size, extra_size, comment_size = unpack_from("<HHH", fixed, 28)
    attributes, offset = unpack_from("<II", fixed, 38)
    name, extra = window.exactly(name_size), window.exactly(extra_size)
    window.skip(comment_size)
    values = widened(extra, (size, packed, offset))
    if values is None:
        raise damaged(window.name, "its directory lacks the size of a member")
    size, packed, offset = values
    unix = fixed[5] in (3, 19)  # made by Unix or macOS: the upper half of the attributes is st_mode
    return offset, Record(name, method, crc, packed, size), attributes >> 16 if unix else 0


def _check_end(window: Window) -> None:
    if window.peek(4) == _END64:
        window.skip(12 + int.from_bytes(window.peek(12)[4:], "little"))
    if window.peek(4) == _LOCATOR64:
        window.skip(20)
    end = window.fill(22)
    if len(end) < 22 or not end.startswith(_END):
        raise damaged(window.name, "its directory is cut off or unreadable")
