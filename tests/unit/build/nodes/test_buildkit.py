import asyncio
import contextlib
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes.buildkit.http2 import call
from quarterdeck.build.nodes.buildkit.protobuf import BadMessage, fields
from quarterdeck.build.nodes.buildkit.workers import ask_docker, parse_workers
from quarterdeck.errors import TargetError

DATA, HEADERS, RESET, SETTINGS, PUSH, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 9
END, ACK, HEADERS_END, PADDED = 1, 1, 4, 8


class Writer:
    """What is written to the other side, kept."""

    def __init__(self):
        self.sent = b""

    def write(self, data):
        self.sent += data

    async def drain(self):
        pass


def frame(kind, payload=b"", *, flags=0, stream=1):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content


def platform(os, arch, variant=""):
    return field(3, field(1, arch.encode()) + field(2, os.encode()) + (field(3, variant.encode()) if variant else b""))


def message(content):
    return b"\0" + len(content).to_bytes(4, "big") + content


RECORD = (
    field(1, b"id")
    + field(2, b"\x0a\x01a\x12\x01b")
    + platform("linux", "arm64")
    + platform("linux", "arm", "v7")
    + field(5, field(2, b"v0.34.2"))
)
ANSWER = field(1, RECORD)


def headers(*, flags=HEADERS_END, **fields):
    """Headers as literals without an index: RFC 7541 6.2.2; ``_`` stands for a dash and begins what begins with a colon."""
    words = [(name.replace("_", ":", 1) if name.startswith("_") else name.replace("_", "-"), value) for name, value in fields.items()]
    texts = (b"\0" + b"".join(bytes([len(word)]) + word.encode() for word in pair) for pair in words)
    return frame(HEADERS, b"".join(texts), flags=flags)


OPEN = frame(SETTINGS, stream=0)
BEGUN = OPEN + headers(_status="200", content_type="application/grpc")
DONE = headers(grpc_status="0", flags=HEADERS_END | END)


async def talk(*answers, function: Any = call):
    """Say one answer after the other, each when the one before it was read."""
    reader = asyncio.StreamReader()
    writer: Any = Writer()
    talking = asyncio.create_task(function(reader, writer, "/a.B/C") if function is call else function((reader, writer)))
    for answer in answers:
        reader.feed_data(answer)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    reader.feed_eof()
    return await talking, writer.sent


async def test_a_call_sends_one_empty_message_and_returns_the_answer():
    answer, sent = await talk(BEGUN + frame(DATA, message(b"hi")) + DONE)
    server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    server.initiate_connection()
    events = server.receive_data(sent)
    (asked,) = [event for event in events if isinstance(event, RequestReceived)]
    assert answer == b"hi"
    assert (
        dict(asked.headers).items() >= {":method": "POST", ":path": "/a.B/C", "content-type": "application/grpc", "te": "trailers"}.items()
    )
    assert any(isinstance(event, StreamEnded) for event in events)
    assert sent.endswith(frame(DATA, bytes(5), flags=END))


async def test_settings_and_pings_are_acknowledged():
    _, sent = await talk(OPEN + frame(PING, b"12345678", stream=0), BEGUN + frame(DATA, message(b"hi"), flags=END))
    assert frame(SETTINGS, flags=ACK, stream=0) in sent
    assert sent.endswith(frame(PING, b"12345678", flags=ACK, stream=0))


async def test_an_answer_in_pieces_and_with_padding_is_put_together():
    whole = message(b"hello")
    last = frame(DATA, b"\x02" + whole[3:] + bytes(2), flags=PADDED | END)
    assert (await talk(BEGUN + frame(DATA, whole[:3]) + last))[0] == b"hello"
    every = BEGUN + frame(DATA, whole[:3]) + last
    assert (await talk(*(bytes([byte]) for byte in every)))[0] == b"hello"


async def test_what_follows_an_answer_does_no_harm():
    bye = frame(GOAWAY, bytes(8), stream=0)
    assert (await talk(BEGUN + frame(DATA, message(b"hi")) + DONE + bye))[0] == b"hi"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "hung up without a word"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "it said"),
        (BEGUN, "hung up before it answered"),
        (BEGUN + DONE, "without a message"),
        (BEGUN + frame(DATA, b"\0\0\0\0\x09x", flags=END), "without a message"),
        (BEGUN + frame(DATA, message(b"x")[:-1], flags=END), "without a message"),
        (BEGUN + frame(DATA, b"\1\0\0\0\0", flags=END), "without a message"),
        (BEGUN + headers(grpc_status="12", grpc_message="unknown%20service%1b[1m", flags=5), "without a message: unknown service"),
        (OPEN + headers(_status="200", grpc_status="14", flags=5), "without a message: gRPC status 14"),
        (OPEN + headers(_status="404", flags=5), "without a message: HTTP status 404"),
        (BEGUN + frame(RESET, bytes(4)), "broke"),
        (OPEN + frame(GOAWAY, bytes(8) + b"too many pings", stream=0), "it hung up: too many pings"),
        (BEGUN + frame(DATA, bytes(16384)) * 5, "too long"),
        (OPEN + frame(SETTINGS, stream=0) * 30000, "too long"),
        (OPEN + frame(DATA, b"x"), "rules of HTTP/2"),
        (OPEN + frame(HEADERS, b"\xff" * 20, flags=4), "rules of HTTP/2"),
        (OPEN + headers(content_type="x"), "rules of HTTP/2"),
        (OPEN + frame(HEADERS) + frame(CONTINUATION) * 100, "rules of HTTP/2"),
        (BEGUN + frame(DATA, b"\xff", flags=PADDED), "rules of HTTP/2"),
        (BEGUN + frame(DATA, message(b"x"), stream=3), "rules of HTTP/2"),
        (OPEN + frame(SETTINGS, b"x", stream=0), "rules of HTTP/2"),
    ],
)
async def test_whoever_is_no_buildkit_is_told_in_words(answer, reason):
    with pytest.raises(TargetError) as caught:
        await talk(answer)
    assert caught.value.key == "not-buildkit"
    assert reason in caught.value.reason
    assert caught.value.reason.isprintable()


async def test_who_waits_after_a_greeting_is_not_waited_for():
    reader = asyncio.StreamReader()
    reader.feed_data(b"SSH-2.0-OpenSSH_9.2\r\n")
    writer: Any = Writer()
    with pytest.raises(TargetError):
        await asyncio.wait_for(call(reader, writer, "/a.B/C"), 30)


async def test_what_is_pushed_is_no_part_of_an_answer():
    pushed = frame(PUSH, (2).to_bytes(4, "big") + b"\x82\x86\x84\x41\x01x", flags=HEADERS_END)
    other = frame(HEADERS, b"\x88", flags=HEADERS_END, stream=2) + frame(DATA, b"no", flags=END, stream=2)
    assert (await talk(BEGUN + pushed + other + frame(DATA, message(b"hi"), flags=END)))[0] == b"hi"


async def test_a_docker_socket_is_recognised():
    with pytest.raises(TargetError) as caught:
        await talk(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n")
    assert "--engine docker" in caught.value.hint


async def test_docker_opens_its_buildkit_by_an_upgrade():
    worker, sent = await talk(
        b"HTTP/1.1 101 UPGRADED\r\nUpgrade: h2c\r\n\r\n" + BEGUN + frame(DATA, message(ANSWER), flags=END), function=ask_docker
    )
    assert [str(one) for one in worker.platforms] == ["linux/arm64", "linux/arm/v7"]
    assert worker.version == "v0.34.2"
    assert sent.startswith(b"POST /grpc HTTP/1.1\r\n")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 404", b"x" * 100000])
async def test_docker_without_buildkit_says_so(said):
    with pytest.raises(TargetError) as caught:
        await talk(said, function=ask_docker)
    assert caught.value.key == "docker-without-buildkit"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "buildkit-without-workers"),
        (field(1, field(1, b"id")), "buildkit-without-workers"),
        (ANSWER[:-3], "buildkit-answer-damaged"),
        (field(1, platform("linux", "\xff")), "buildkit-answer-damaged"),
        (field(1, platform("", "")), "buildkit-answer-damaged"),
        (b"\xff" * 20, "buildkit-answer-damaged"),
        (b"\x0f", "buildkit-answer-damaged"),
    ],
)
def test_damaged_answers_are_refused_in_words(content, key):
    with pytest.raises(TargetError) as caught:
        parse_workers(content)
    assert caught.value.key == key


def test_numbers_in_messages_are_passed_over():
    numbers = b"\x08\x96\x01" + b"\x11" + bytes(8) + b"\x1d" + bytes(4)
    assert list(fields(numbers + field(4, b"x"))) == [(4, b"x")]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(content):
    with contextlib.suppress(BadMessage):
        assert all(isinstance(part, bytes) for _, part in fields(content))
    with contextlib.suppress(TargetError):
        parse_workers(content)


@given(st.binary(max_size=400))
def test_any_bytes_on_the_line_are_an_answer_or_refused(content):
    async def check():
        with contextlib.suppress(TargetError):
            await talk(content)
        with contextlib.suppress(TargetError):
            await talk(BEGUN + content)
        with contextlib.suppress(TargetError):
            await talk(OPEN + frame(HEADERS, content, flags=HEADERS_END))

    asyncio.run(check())
