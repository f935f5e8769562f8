"""The encoder of QEMU's arguments."""

import json

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.machine.options import comma_argument, comma_pairs, json_argument, plain


def test_commas_in_values_are_doubled() -> None:
    assert comma_argument("socket", path="/a,b,,c d") == "socket,path=/a,,b,,,,c d"


def test_truth_is_on_or_off_and_none_is_left_out() -> None:
    assert comma_argument("socket", server=True, wait=False, path=None, n=3) == "socket,server=on,wait=off,n=3"


def test_the_implied_value_is_escaped_too() -> None:
    assert comma_argument("unix:/a,b", share="x") == "unix:/a,,b,share=x"


def test_without_an_implied_value_the_first_pair_comes_first() -> None:
    assert comma_pairs("", {"guest": "a", "debug-threads": True}) == "guest=a,debug-threads=on"


def test_json_keeps_what_needs_no_escape_and_drops_none() -> None:
    text = json_argument({"filename": 'a,b "c" \\ é 😀', "x": None, "inner": {"y": None, "z": True}, "list": [{"q": None, "str": "s"}]})
    assert json.loads(text) == {"filename": 'a,b "c" \\ é 😀', "inner": {"z": True}, "list": [{"str": "s"}]}
    assert "é" in text


@pytest.mark.parametrize("encode", [plain, comma_argument, lambda text: comma_argument(a=text), lambda text: json_argument({"a": [text]})])
def test_nul_is_refused(encode) -> None:
    with pytest.raises(UsageError, match="NUL"):
        encode("a\0b")


def test_names_that_are_not_utf8_are_refused_where_json_is_needed() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        json_argument({"filename": "a\udcff"})
    assert comma_argument(path="a\udcff") == "path=a\udcff"
