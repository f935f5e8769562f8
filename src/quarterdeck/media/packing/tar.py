"""Members of a tar stream, in one pass: ustar, pax, GNU names and both ways of storing sparse files.

Unlike ``tarfile``, a damaged header is an error and not the end. Sources: POSIX.1-2017 pax, GNU tar manual appendix "Tar Internals"
(old GNU sparse headers, pax sparse formats 0.1 and 1.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from quarterdeck.media.packing.entry import Entry, EntryKind
from quarterdeck.media.packing.failures import damaged, unsupported
from quarterdeck.media.packing.holes import Holes, Region, read_map_text
from quarterdeck.media.packing.window import Part, Reader, Window

_SECTOR = 512
_EXTENSION_MAX = 1 << 20
"""Bytes of one extended header; real ones have a few hundred."""
_FILES = b"0\x007S"
_KINDS = {b"5": EntryKind.FOLDER, b"V": EntryKind.FOLDER, b"1": EntryKind.LINK, b"2": EntryKind.LINK}
_SPECIAL = b"346"


@dataclass
class _Extensions:
    """What extended headers say about the member that follows."""

    shared: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str | None:
        return self.own.get(key, self.shared.get(key))


def is_tar(head: bytes) -> bool:
    """Whether ``head`` is a tar header: its checksum is right, and it is no block of zeros."""
    return len(head) >= _SECTOR and any(head[:100]) and _checksum_right(head[:_SECTOR])


def read_tar(window: Window) -> Iterator[Entry]:
    """Return the members of the tar in ``window``; each must be read before the next is asked for, what is left is skipped.

    Raises:
        MediaError: it is damaged or cut off.
    """
    extensions = _Extensions()
    while (header := _next_header(window)) is not None:
        kind = header[156:157]
        if kind in b"xgLK":
            _extend(extensions, kind, _extension(window, header))
            continue
        yield from _member(window, header, extensions)
        extensions.own = {}
    window.drain()


def _next_header(window: Window) -> bytes | None:
    """Two blocks of zeros end an archive; some writers leave them out."""
    header = window.fill(_SECTOR)
    if not header or not any(header):
        return None
    if len(header) < _SECTOR:
        raise damaged(window.name, "it does not end where a member ends")
    if not _checksum_right(header):
        raise damaged(window.name, "the header of a member has a wrong checksum")
    return header


def _checksum_right(header: bytes) -> bool:
    try:
        stated = int(header[148:156].strip(b" \x00") or b"-", 8)
    except ValueError:
        return False
    blanked = header[:148] + b" " * 8 + header[156:]
    signed = sum(blanked) - 256 * sum(byte > 127 for byte in blanked)
    return stated in (sum(blanked), signed)


def _number(window: Window, field: bytes) -> int:
    """Octal text, or with the highest bit set a big-endian number (GNU, for sizes of 8 GiB and more)."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        value = int(field.strip(b" \x00") or b"0", 8)
    except ValueError:
        raise damaged(window.name, "the header of a member holds a number that is none") from None
    if value < 0:
        raise damaged(window.name, "a member has a negative size")
    return value


def _extension(window: Window, header: bytes) -> bytes:
    size = _number(window, header[124:136])
    if size > _EXTENSION_MAX:
        raise damaged(window.name, "the extended header of a member is too long")
    data = window.exactly(size)
    window.skip(-size % _SECTOR)
    return data


def _extend(extensions: _Extensions, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extensions.own["path"] = _text(data.rstrip(b"\x00"))
    elif kind == b"x":
        extensions.own.update(_pax(data))
    elif kind == b"g":
        extensions.shared.update(_pax(data))


def _pax(data: bytes) -> dict[str, str]:
    """Each record is ``LENGTH KEY=VALUE`` and a line end; the length counts the whole record."""
    records: dict[str, str] = {}
    while data:
        length, blank, _ = data[:20].partition(b" ")
        if not blank or not length.isdigit() or not len(length) < int(length) <= len(data):
            break
        record = data[len(length) + 1 : int(length)].rstrip(b"\n")
        key, _, value = record.partition(b"=")
        records[_text(key)] = _text(value)
        data = data[int(length) :]
    return records


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _name(header: bytes, extensions: _Extensions) -> str:
    given = extensions.get("GNU.sparse.name") or extensions.get("path")
    if given:
        return given
    name = _text(header[:100].partition(b"\x00")[0])
    prefix = _text(header[345:500].partition(b"\x00")[0]) if header[257:263] == b"ustar\x00" else ""
    return f"{prefix}/{name}" if prefix else name


def _size(window: Window, header: bytes, extensions: _Extensions) -> int:
    given = extensions.get("size")
    if given is None:
        return _number(window, header[124:136])
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise damaged(window.name, "the extended header of a member gives a size that is none")
    return int(given)


def _member(window: Window, header: bytes, extensions: _Extensions) -> Iterator[Entry]:
    kind = header[156:157]
    name = _name(header, extensions)
    if kind in _SPECIAL:
        yield Entry(name, EntryKind.SPECIAL)
        return
    if kind not in _FILES and kind not in _KINDS:
        raise unsupported(window.name, f"it has a member of the kind {kind!r}")
    # Links have no content whatever their size says; pax archives of hard links may have (and nobody reads it).
    size = 0 if kind == b"2" else _size(window, header, extensions)
    part = Part(window, 0 if kind == b"1" and not extensions.own else size)
    if kind in _KINDS:
        yield Entry(name, _KINDS[kind])
    else:
        reader, length = _content(window, header, extensions, part)
        yield Entry(name, EntryKind.FILE, reader, length)
    window.skip(part.left)
    window.skip(-size % _SECTOR)


def _content(window: Window, header: bytes, extensions: _Extensions, part: Part) -> tuple[Reader, int]:
    if header[156:157] == b"S":
        regions, size = _old_sparse(window, header)
        return Holes(part, regions, size, window.name), size
    real = extensions.get("GNU.sparse.realsize") or extensions.get("GNU.sparse.size")
    if real is None:
        return part, part.left
    size = int(real) if real.isascii() and real.isdigit() and len(real) < 20 else -1
    if size < 0:
        raise damaged(window.name, "a sparse member has a size that is none")
    return Holes(part, _pax_regions(window, extensions, part), size, window.name), size


def _pax_regions(window: Window, extensions: _Extensions, part: Part) -> list[Region]:
    if extensions.get("GNU.sparse.major") == "1":
        return read_map_text(part, window.name)
    numbers = (extensions.get("GNU.sparse.map") or "").split(",")
    if len(numbers) % 2 or not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        raise unsupported(window.name, "it stores a sparse file in a way that GNU tar gave up")
    values = [int(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def _old_sparse(window: Window, header: bytes) -> tuple[list[Region], int]:
    size = _number(window, header[483:495])
    pairs = [header[386 + 24 * index : 410 + 24 * index] for index in range(4)]
    more = header[482]
    while more:
        block = window.exactly(_SECTOR)
        pairs += [block[24 * index : 24 * index + 24] for index in range(21)]
        more = block[504]
        if len(pairs) * 24 > _EXTENSION_MAX:
            raise damaged(window.name, "the map of a sparse member is too long")
    return [(_number(window, pair[:12]), _number(window, pair[12:])) for pair in pairs if any(pair)], size
