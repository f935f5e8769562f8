"""One unary gRPC call over HTTP/2 with prior knowledge. Sources: RFC 9113, RFC 7541 section 6.2.2, gRPC's PROTOCOL-HTTP2.md.

A client for one small question needs no window updates (RFC 9113 6.9.2: 65535 bytes are open at the start) and never has to decode a
header: a good answer is a data frame, and what is no good answer is told by its absence.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from quarterdeck.errors import TargetError

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 1, 1, 4, 8
_STREAM = 1
_LARGEST_FRAME = 16384
_LARGEST_ANSWER = 65535
_MOST_FRAMES = 1000


class _Type(IntEnum):
    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7


@dataclass(frozen=True)
class _Frame:
    type: int
    flags: int
    stream: int
    payload: bytes


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """Call the method ``/package.Service/Method`` with an empty message, and return the message that it answers.

    Raises:
        TargetError: the other side speaks something else, refuses, or hangs up.
    """
    writer.write(_PREFACE + _frame(_Type.SETTINGS, 0, 0, b"") + _request(path))
    await writer.drain()
    try:
        return _message(await _answer(reader, writer))
    except asyncio.IncompleteReadError as error:
        raise _not_buildkit(_seen(error.partial)) from None
    except OSError as error:
        raise _not_buildkit(error.strerror or str(error)) from None


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    data = b""
    for _ in range(_MOST_FRAMES):
        frame = await _read(reader)
        if frame.stream == _STREAM and frame.type == _Type.DATA:
            data += _unpadded(frame)
        elif frame.stream == _STREAM and frame.type == _Type.RST_STREAM:
            raise _not_buildkit("it broke the call off")
        elif frame.type == _Type.GOAWAY:
            raise _not_buildkit(f"it hung up: {frame.payload[8:].decode(errors='backslashreplace')}")
        elif frame.type in (_Type.SETTINGS, _Type.PING) and not frame.flags & _ACK:
            writer.write(_frame(frame.type, _ACK, 0, frame.payload if frame.type == _Type.PING else b""))
            await writer.drain()
        if len(data) > _LARGEST_ANSWER:
            break
        if frame.stream == _STREAM and frame.type in (_Type.DATA, _Type.HEADERS) and frame.flags & _END_STREAM:
            return data
    raise _not_buildkit("its answer is too long")


async def _read(reader: asyncio.StreamReader) -> _Frame:
    head = await reader.readexactly(9)
    if head.startswith(b"HTTP/1."):
        raise TargetError(
            "not-buildkit",
            "this is no BuildKit daemon",
            reason="it speaks HTTP/1.1, as a Docker Engine does",
            hint="add it with --engine docker",
        )
    length = int.from_bytes(head[:3], "big")
    if length > _LARGEST_FRAME:
        raise _not_buildkit(_seen(head))
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return _Frame(kind, flags, stream & 0x7FFFFFFF, await reader.readexactly(length))


def _unpadded(frame: _Frame) -> bytes:
    if not frame.flags & _PADDED:
        return frame.payload
    padding = frame.payload[0] if frame.payload else 0
    return frame.payload[1 : max(1, len(frame.payload) - padding)]


def _message(data: bytes) -> bytes:
    """Return the message of a gRPC answer: one byte that says whether it is compressed, four with its length, and it."""
    if len(data) < 5 or data[0] or len(data) - 5 < int.from_bytes(data[1:5], "big"):
        raise _not_buildkit("it answered without a message")
    return data[5 : 5 + int.from_bytes(data[1:5], "big")]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _request(path: str) -> bytes:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "buildkit",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return _frame(_Type.HEADERS, _END_HEADERS, _STREAM, _packed(headers)) + _frame(_Type.DATA, _END_STREAM, _STREAM, bytes(5))


def _packed(headers: Mapping[str, str]) -> bytes:
    """Return headers as literals without indexing and without Huffman coding; each of them is shorter than 127 bytes."""
    words = [word.encode() for pair in headers.items() for word in pair]
    return b"".join((b"\0" if number % 2 == 0 else b"") + bytes([len(word)]) + word for number, word in enumerate(words))


def _seen(start: bytes) -> str:
    return f"it said {start[:40]!r}" if start else "it hung up without a word"


def _not_buildkit(reason: str) -> TargetError:
    return TargetError("not-buildkit", "this is no BuildKit daemon that answers", reason=reason)
