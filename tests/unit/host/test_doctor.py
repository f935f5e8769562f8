from typing import Any

from quarterdeck.errors import HostError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.doctor import examine, summarize

FINE = Check(key="a", title="A", status=Status.OK, detail="x")
BROKEN = Check(key="b", title="B", status=Status.FAIL, detail="x", needed=True)
LACKING = Check(key="c", title="C", status=Status.FAIL, detail="x")


async def fine() -> Any:
    return [FINE]


async def odd() -> Any:
    raise ValueError("odd content")


async def refused() -> Any:
    raise HostError("x", "no way", reason="because")


async def test_one_group_that_fails_does_not_hide_the_others() -> None:
    checks = await examine([("odd", odd), ("fine", fine), ("refused", refused)])
    assert [check.status for check in checks] == [Status.WARN, Status.OK, Status.WARN]
    assert checks[0].detail == "could not be examined: odd content"
    assert checks[2].detail == "no way: because"


def test_the_host_is_ready_unless_something_needed_fails() -> None:
    assert summarize([FINE, LACKING]) == {"ok": 1, "warn": 0, "fail": 1, "info": 0, "ready": True}
    assert summarize([FINE, BROKEN])["ready"] is False


def test_a_check_is_one_json_object() -> None:
    assert BROKEN.to_json() == {"key": "b", "title": "B", "status": "fail", "detail": "x", "fix": "", "needed": True}
