import json

import pytest

from quarterdeck.errors import DeadlineError, HostError, MediaError, QemuError, UsageError
from quarterdeck.runtime.client import _records, error_from_json


@pytest.mark.parametrize("kind", [UsageError, HostError, MediaError, QemuError, DeadlineError])
def test_error_comes_back_as_the_class_it_was(kind):
    sent = kind("some-key", "what", reason="why", hint="how")
    got = error_from_json(409, json.dumps({"error": sent.to_json()}).encode())
    assert type(got) is kind
    assert got.to_json() == sent.to_json()


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"error": 1}', b'{"error": {}}', b'{"error": {"exit_code": []}}', b"[" * 99999]
)
def test_answer_that_is_no_error_is_still_one(content):
    assert error_from_json(502, content).key == "supervisor-error"


def test_events_are_read_from_lines():
    lines = [b": hello\n", b"\n", b"id: 7\n", b"event: state\n", b'data: {"state": "ready"}\n', b"\n", b"data: {}\n", b"\n"]
    first, second = _records(iter(lines))
    assert (first.id, first.type, first.data) == (7, "state", {"state": "ready"})
    assert (second.id, second.type, second.data) == (0, "message", {})


def test_odd_events_are_skipped_and_the_unfinished_one_too():
    lines = [b"data: {\n", b"\n", b"id: x\n", b"data: {}\n", b"\n", b"\xff\xff\n", b"\n", b"data: {}\n"]
    assert list(_records(iter(lines))) == []
