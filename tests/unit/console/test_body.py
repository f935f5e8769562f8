import asyncio
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.console import body
from quarterdeck.errors import UsageError


def request(raw=b"", query=None):
    async def read():
        return raw

    return SimpleNamespace(read=read, query=query or {})


def read(raw, allowed=("timeout",)):
    return asyncio.run(body.read_object(request(raw), allowed))


@pytest.mark.parametrize(("raw", "value"), [(b"", {}), (b"  \n", {}), (b"{}", {}), (b'{"timeout": 5}', {"timeout": 5})])
def test_objects_and_nothing_are_accepted(raw, value):
    assert read(raw) == value


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"3", b'"x"', b"null", b"\xff", b"[" * 16000, b'{"a": ' * 3000, b"9" * 9999, b'{"other": 1}', b'{"\\ud800": 1}']
)
def test_everything_else_is_a_usage_error(raw):
    with pytest.raises(UsageError):
        read(raw)


@pytest.mark.parametrize(("value", "seconds"), [(None, None), (0, 0.0), (110, 110.0), (0.5, 0.5), (86400, 86400.0)])
def test_timeouts(value, seconds):
    assert body.timeout({"timeout": value}) == seconds


@pytest.mark.parametrize("text", ["-1", "86401", "true", '"5"', "[]", "NaN", "Infinity", "1e999", "1" + "0" * 400])
def test_bad_timeouts(text):
    with pytest.raises(UsageError):
        body.timeout({"timeout": json.loads(text)})


def test_keys():
    assert body.keys({"keys": ["ctrl", "alt", "delete"]}) == ["ctrl", "alt", "delete"]


@pytest.mark.parametrize("value", [None, [], "ctrl", ["ctrl", 3], ["Ctrl"], ["a b"], ["a\n"], ["a"] * 17, ["x" * 33], {"a": 1}])
def test_bad_keys(value):
    with pytest.raises(UsageError):
        body.keys({"keys": value})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "x", "4194305", "9" * 5000, "٣"])
def test_bad_log_sizes(text):
    with pytest.raises(UsageError):
        body.log_size(request(query={"bytes": text}))


def test_log_size_has_a_default():
    assert body.log_size(request()) == body.DEFAULT_LOG
    assert body.log_size(request(query={"bytes": "1"})) == 1


@given(st.binary(max_size=200))
def test_no_body_gives_anything_but_a_usage_error(raw):
    try:
        fields = read(raw, ("timeout", "keys", "view_only"))
        body.timeout(fields)
        body.flag(fields, "view_only")
        body.keys(fields)
    except UsageError:
        pass
