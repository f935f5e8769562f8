"""Whatever the value, QEMU reads back what was written: checked with a reader of its comma syntax."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.machine.options import comma_pairs, json_argument
from quarterdeck.machine.ports import format_port, parse_port
from quarterdeck.machine.resolved import PortForward

TEXT = st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=60) | st.text(
    alphabet=",=ab ", max_size=20
)
KEYS = st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True)


def read_commas(text: str) -> list[str]:
    """Split as QEMU's get_opt_value does (util/qemu-option.c): a doubled comma is one comma of the value, a single one ends it."""
    values, value, position = [], "", 0
    while position < len(text):
        if text[position] == ",":
            if text[position + 1 : position + 2] != ",":
                values.append(value)
                value, position = "", position + 1
                continue
            position += 1
        value += text[position]
        position += 1
    return [*values, value]


@settings(deadline=None)
@given(TEXT.filter(bool), st.dictionaries(KEYS, TEXT, max_size=6))
def test_comma_options_read_back(first: str, options: dict[str, str]) -> None:
    head, *pairs = read_commas(comma_pairs(first, options))
    assert head == first
    assert [tuple(pair.split("=", 1)) for pair in pairs] == list(options.items())


@settings(deadline=None)
@given(st.dictionaries(KEYS, TEXT | st.integers() | st.booleans() | st.dictionaries(KEYS, TEXT, max_size=3) | st.lists(TEXT, max_size=3)))
def test_json_options_read_back(options: dict[str, object]) -> None:
    text = json_argument(options)
    assert json.loads(text) == options
    assert text.startswith("{")
    text.encode()


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["tcp", "udp"]), st.integers(1, 1000))
def test_port_forwards_read_back(address, host: int, guest: int, protocol: str, count: int) -> None:
    count = min(count, 65536 - host, 65536 - guest)
    forward = PortForward(str(address), host, guest, protocol, count)
    assert parse_port(format_port(forward)) == forward
