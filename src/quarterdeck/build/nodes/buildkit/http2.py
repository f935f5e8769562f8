"""One unary gRPC call over HTTP/2 with prior knowledge: h2 speaks HTTP/2, and what gRPC adds is here. Source: its PROTOCOL-HTTP2.md.

Not by a gRPC library: those open connections themselves, and ours begin with an upgrade of Docker's or end in another program.
The windows of flow control stay as they are at the start (RFC 9113 6.9.2: 65535 bytes), so h2 refuses an answer that is longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import FlowControlError, ProtocolError

from quarterdeck.build.engines.text import one_line
from quarterdeck.errors import TargetError

_STREAM = 1
_NO_MESSAGE = bytes(5)
_CHUNK = _LARGEST_FRAME = 16384
"""Bytes of a frame where nothing else was agreed on: RFC 9113 4.2."""
_MOST_BYTES = 1 << 18
"""All that the other side may say, with frames that answer nothing: an answer alone has less than 65536 bytes."""


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """Call the method ``/package.Service/Method`` with an empty message, and return the message that it answers.

    Raises:
        TargetError: the other side speaks something else, refuses, or hangs up.
    """
    connection, answer, heard = _question(path), _Answer(), b""
    try:
        while not answer.whole:
            # The question first, and later what h2 has to acknowledge.
            writer.write(connection.data_to_send())
            await writer.drain()
            chunk = await reader.read(_CHUNK)
            heard += chunk
            _check(heard, ended=not chunk, understood=answer.begun)
            answer.take(connection.receive_data(chunk))
    except FlowControlError:
        raise _too_long() from None
    except ProtocolError as error:
        raise _not_buildkit(f"it breaks the rules of HTTP/2: {one_line(str(error))}") from None
    except OSError as error:
        raise _not_buildkit(error.strerror or str(error)) from None
    return answer.message()


def _question(path: str) -> H2Connection:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "buildkit",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    connection = H2Connection(H2Configuration(client_side=True))
    connection.initiate_connection()
    connection.send_headers(_STREAM, list(headers.items()))
    connection.send_data(_STREAM, _NO_MESSAGE, end_stream=True)
    return connection


class _Answer:
    """What was answered so far."""

    def __init__(self) -> None:
        self.begun = self.whole = False
        self._data = b""
        self._words = ""

    def take(self, events: Iterable[Event]) -> None:
        """Take what happened on the connection, until the answer is whole.

        Raises:
            TargetError: the other side ends it before.
        """
        for event in events:
            self.begun = True
            if isinstance(event, ConnectionTerminated):
                words = one_line(_text(event.additional_data or b""))
                raise _not_buildkit(f"it hung up: {words}" if words else "it hung up")
            if getattr(event, "stream_id", _STREAM) == _STREAM:
                self._take(event)
            if self.whole:
                return

    def _take(self, event: Event) -> None:
        match event:
            case DataReceived():
                self._data += event.data
            case ResponseReceived() | TrailersReceived():
                self._words = _failure({_text(name): _text(value) for name, value in event.headers}) or self._words
            case StreamReset():
                raise _not_buildkit("it broke the call off")
            case StreamEnded():
                self.whole = True

    def message(self) -> bytes:
        """Return the message of the answer: one byte says whether it is compressed, four give its length, and it follows.

        Raises:
            TargetError: there is none.
        """
        length = int.from_bytes(self._data[1:5], "big")
        if len(self._data) < 5 or self._data[0] or len(self._data) - 5 < length:
            raise _not_buildkit("it answered without a message" + (f": {self._words}" if self._words else ""))
        return self._data[5 : 5 + length]


def _failure(headers: dict[str, str]) -> str:
    """Return why there is no answer, in the other side's words; empty when nothing says so."""
    if headers.get("grpc-status", "0") != "0":
        return one_line(unquote(headers.get("grpc-message", ""))) or f"gRPC status {headers['grpc-status']}"
    return f"HTTP status {headers[':status']}" if headers.get(":status", "200") != "200" else ""


def _check(heard: bytes, *, ended: bool, understood: bool) -> None:
    """Refuse what is no HTTP/2 by its first bytes, before h2 waits for the rest of what looks like a very long frame."""
    if heard.startswith(b"HTTP/1."):
        raise TargetError(
            "not-buildkit",
            "this is no BuildKit daemon",
            reason="it speaks HTTP/1.1, as a Docker Engine does",
            hint="add it with --engine docker",
        )
    if ended:
        raise _not_buildkit("it hung up before it answered" if understood else _seen(heard))
    if len(heard) >= 9 and int.from_bytes(heard[:3], "big") > _LARGEST_FRAME:
        raise _not_buildkit(_seen(heard))
    if len(heard) > _MOST_BYTES:
        raise _too_long()


def _seen(start: bytes) -> str:
    return f"it said {start[:40]!r}" if start else "it hung up without a word"


def _text(words: str | bytes) -> str:
    return words if isinstance(words, str) else words.decode(errors="backslashreplace")


def _too_long() -> TargetError:
    return _not_buildkit("its answer is too long")


def _not_buildkit(reason: str) -> TargetError:
    return TargetError("not-buildkit", "this is no BuildKit daemon that answers", reason=reason)
