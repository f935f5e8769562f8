"""Just enough of protocol buffers to read a message. Source: protobuf.dev, "Encoding".

Ours, because one message of text fields is all that we read: Google's library wants generated code and a compiled runtime for it, and
those that want neither are little used, read numbers of any length, and fail in a different way for each kind of damage.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES = 10


class BadMessage(ValueError):  # noqa: N818 - says what the bytes are
    """Bytes that are no message."""


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the length-delimited fields of a message (strings, bytes, messages) as number and content; others are skipped.

    Raises:
        BadMessage: it is cut short or damaged.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            _, at = _varint(message, at)
            continue
        if wire == _LENGTH:
            length, at = _varint(message, at)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise BadMessage(f"a field has the wire type {wire}")
        if at + length > len(message):
            raise BadMessage("it is cut short")
        if wire == _LENGTH:
            yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(_VARINT_BYTES):
        if at >= len(message):
            raise BadMessage("it is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value, at
    raise BadMessage("a number has more than ten bytes")
