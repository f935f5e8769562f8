import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes.buildkit.http2 import call
from quarterdeck.build.nodes.buildkit.protobuf import BadMessage, fields
from quarterdeck.build.nodes.buildkit.workers import ask_docker, parse_workers
from quarterdeck.errors import TargetError

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7


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


async def talk(answer, *, function=call):
    reader, writer = asyncio.StreamReader(), Writer()
    reader.feed_data(answer)
    reader.feed_eof()
    arguments = (reader, writer, "/a.B/C") if function is call else ((reader, writer),)
    return await function(*arguments), writer.sent


async def test_a_call_sends_one_empty_message_and_returns_the_answer():
    answer, sent = await talk(
        frame(SETTINGS, stream=0)
        + frame(PING, b"12345678", stream=0)
        + frame(HEADERS, b"x", flags=4)
        + frame(DATA, message(b"hi"))
        + frame(HEADERS, flags=5)
    )
    assert answer == b"hi"
    assert sent.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert b"/a.B/C" in sent
    assert sent.endswith(frame(SETTINGS, flags=1, stream=0) + frame(PING, b"12345678", flags=1, stream=0))


async def test_an_answer_in_pieces_and_with_padding_is_put_together():
    whole = message(b"hello")
    assert (await talk(frame(DATA, whole[:3]) + frame(DATA, b"\x02" + whole[3:] + b"zz", flags=9)))[0] == b"hello"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "hung up"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "it said"),
        (frame(HEADERS, flags=5), "without a message"),
        (frame(DATA, b"\0\0\0\0\x09x", flags=1), "without a message"),
        (frame(DATA, message(b"x")[:-1] + b"", flags=1), "without a message"),
        (frame(DATA, b"\1\0\0\0\0", flags=1), "without a message"),
        (frame(RESET, bytes(4)), "broke"),
        (frame(GOAWAY, bytes(8) + b"too many pings", stream=0), "too many pings"),
        (frame(SETTINGS, flags=1, stream=0) * 1001, "too long"),
        (frame(DATA, bytes(16384)) * 5, "too long"),
    ],
)
async def test_whoever_is_no_buildkit_is_told_in_words(answer, reason):
    with pytest.raises(TargetError) as caught:
        await talk(answer)
    assert caught.value.key == "not-buildkit"
    assert reason in caught.value.reason


async def test_a_docker_socket_is_recognised():
    with pytest.raises(TargetError) as caught:
        await talk(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n")
    assert "--engine docker" in caught.value.hint


async def test_docker_opens_its_buildkit_by_an_upgrade():
    worker, sent = await talk(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: h2c\r\n\r\n" + frame(DATA, message(ANSWER), flags=1), function=ask_docker)
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

    asyncio.run(check())
