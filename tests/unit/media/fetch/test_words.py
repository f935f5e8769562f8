import email.utils
import socket
import time

import aiohttp
import pytest
from yarl import URL

from quarterdeck.core.report import Event, Step
from quarterdeck.media.fetch.failure import of_exception, of_status
from quarterdeck.media.fetch.http import Patience
from quarterdeck.media.fetch.progress import Meter

PLACE = URL("https://example.org/x.img")


@pytest.mark.parametrize(("status", "transient"), [(403, False), (404, False), (429, True), (500, True), (503, True), (418, False)])
def test_failures_that_may_pass_are_told_from_those_that_do_not(status: int, transient: bool) -> None:
    error = of_status(PLACE, status, {})
    assert error.transient is transient
    assert error.key == f"http-{status}"
    assert str(status) in error.reason
    assert error.hint


def test_a_server_may_ask_for_patience_but_not_for_hours() -> None:
    assert of_status(PLACE, 503, {"Retry-After": "7"}).wait == 7
    assert of_status(PLACE, 503, {"Retry-After": "86400"}).wait == 60
    assert of_status(PLACE, 503, {"Retry-After": "soon"}).wait == 0
    assert 0 < of_status(PLACE, 503, {"Retry-After": email.utils.formatdate(time.time() + 30, usegmt=True)}).wait <= 30
    assert Patience(5, 0.5, 15).pause(1, asked=7) == 7
    assert Patience(5, 0.5, 15).pause(20) <= 15 * 1.25


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (socket.gaierror(-2, "Name or service not known"), "host-unknown"),
        (TimeoutError(), "download-stalled"),
        (aiohttp.ServerDisconnectedError(), "connection-broken"),
        (ConnectionResetError(104, "reset"), "connection-broken"),
        (aiohttp.InvalidURL("x"), "invalid-url"),
    ],
)
def test_exceptions_become_words(error: Exception, key: str) -> None:
    told = of_exception(PLACE, error)
    assert told.key == key
    assert told.message
    assert told.hint


def test_speed_and_time_left_are_shown_and_not_too_often() -> None:
    moment = 0.0
    events: list[Event] = []
    meter = Meter("x.img", events.append, now=lambda: moment)
    for tick in range(101):
        moment = tick / 10
        meter.update(tick << 20, 1000 << 20)
    steps = [event for event in events if isinstance(event, Step)]
    assert 30 < len(steps) < 45
    assert "10 MiB/s, 1 min 30 s left" in steps[-1].detail
    meter.end(1000 << 20, "verified")
    assert isinstance(events[-1], Step)
    assert "1000 MiB, verified" in events[-1].detail


def test_a_download_without_a_known_size_shows_its_speed_only() -> None:
    moment = 0.0
    events: list[Event] = []
    meter = Meter("x.img", events.append, now=lambda: moment)
    meter.update(0, None)
    moment = 2.0
    meter.update(4 << 20, None)
    assert isinstance(events[-1], Step)
    assert events[-1].detail == "x.img, 2 MiB/s"
    assert events[-1].total is None
