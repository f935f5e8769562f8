import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.console.rfb_filter import RfbError, ViewOnlyFilter

HELLO = b"RFB 003.008\n\x01\x01"
PIXEL_FORMAT = b"\x00" + bytes(19)
UPDATE = b"\x03\x01" + bytes(8)
CONTINUOUS = b"\x96" + bytes(9)

u8, u16 = st.integers(0, 255), st.integers(0, 65535)


def encodings(numbers):
    return struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers)


def fence(payload):
    return struct.pack(">B3xIB", 248, 1, len(payload)) + payload


def cut_text(text):
    return struct.pack(">B3xi", 6, len(text)) + text


def extended_clipboard(data):
    return struct.pack(">B3xi", 6, -len(data)) + data


def desktop_size(screens):
    return struct.pack(">BxHHBx", 251, 800, 600, screens) + bytes(16 * screens)


PASSED = st.one_of(
    st.just(PIXEL_FORMAT),
    st.just(UPDATE),
    st.just(CONTINUOUS),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40).map(encodings),
    st.binary(max_size=64).map(fence),
)
DROPPED = st.one_of(
    st.builds(lambda down, key: struct.pack(">BBxxI", 4, down, key), u8, st.integers(0, 2**32 - 1)),
    st.builds(lambda mask, x, y: struct.pack(">BBHH", 5, mask, x, y), u8, u16, u16),
    st.binary(max_size=300).map(cut_text),
    st.binary(min_size=4, max_size=300).map(extended_clipboard),
    st.builds(lambda version, code: bytes([250, 0, version, code]), u8, u8),
    st.integers(0, 5).map(desktop_size),
    st.builds(lambda down, key, scan: struct.pack(">BBHII", 255, 0, down, key, scan), u16, u16, u16),
    st.sampled_from([0, 1]).map(lambda operation: struct.pack(">BBH", 255, 1, operation)),
    st.builds(lambda kind, rate: struct.pack(">BBHBBI", 255, 1, 2, kind, 2, rate), u8, u16),
)
MESSAGES = st.lists(st.one_of(PASSED.map(lambda data: (data, True)), DROPPED.map(lambda data: (data, False))), max_size=30)


def split(data, cuts):
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(MESSAGES, st.lists(st.integers(0, 5000), max_size=60))
def test_only_whole_allowed_messages_pass_whatever_the_chunks(messages, cuts):
    sent = HELLO + b"".join(data for data, _ in messages)
    only = ViewOnlyFilter()
    passed = b"".join(only.feed(chunk) for chunk in split(sent, cuts))
    assert passed == HELLO + b"".join(data for data, passes in messages if passes)


@given(MESSAGES)
def test_one_byte_at_a_time_gives_the_same_as_all_at_once(messages):
    sent = HELLO + b"".join(data for data, _ in messages)
    slow, fast = ViewOnlyFilter(), ViewOnlyFilter()
    assert b"".join(slow.feed(bytes([byte])) for byte in sent) == fast.feed(sent)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_arbitrary_bytes_never_let_a_key_or_pointer_event_through(chunks):
    only = ViewOnlyFilter()
    passed = b""
    try:
        passed += only.feed(HELLO)
        for chunk in chunks:
            passed += only.feed(chunk)
    except RfbError:
        pass
    rest = passed[len(HELLO) :]
    while rest:
        assert rest[0] in (0, 2, 3, 150, 248)
        size = {0: 20, 2: 4, 3: 10, 150: 10, 248: 9}[rest[0]]
        if len(rest) >= size:
            size += 4 * int.from_bytes(rest[2:4], "big") if rest[0] == 2 else rest[8] if rest[0] == 248 else 0
        rest = rest[size:]


@pytest.mark.parametrize("version", [b"RFB 003.003\n", b"RFB 003.005\n"])
def test_old_versions_have_no_security_choice(version):
    assert ViewOnlyFilter().feed(version + b"\x01" + UPDATE) == version + b"\x01" + UPDATE


@pytest.mark.parametrize("version", [b"RFB 003.007\n", b"RFB 003.008\n"])
def test_new_versions_choose_security_none(version):
    assert ViewOnlyFilter().feed(version + b"\x01\x01" + UPDATE) == version + b"\x01\x01" + UPDATE


def test_an_exclusive_session_is_made_a_shared_one():
    assert ViewOnlyFilter().feed(b"RFB 003.008\n\x01\x00") == HELLO


@pytest.mark.parametrize(
    "data",
    [
        b"RFB 004.000\n",
        b"RFB 003.8  \n",
        b"GET / HTTP/1",
        b"RFB 003.008\n\x02",
        HELLO + b"\x01",
        HELLO + b"\xff\x07",
        HELLO + b"\xfc",
        HELLO + b"\xf8" + bytes(7) + b"\x41",
    ],
)
def test_what_is_not_understood_ends_the_connection(data):
    with pytest.raises(RfbError):
        ViewOnlyFilter().feed(data)


def test_a_huge_paste_is_dropped_without_being_kept():
    only = ViewOnlyFilter()
    only.feed(HELLO + struct.pack(">B3xI", 6, 2**31 - 1))
    for _ in range(16):
        assert only.feed(bytes(1 << 20)) == b""
    assert len(only._pending) == 0


def test_incomplete_messages_wait():
    only = ViewOnlyFilter()
    assert only.feed(HELLO + UPDATE[:5]) == HELLO
    assert only.feed(UPDATE[5:]) == UPDATE
