import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.engines.rawjson import RawJsonParser
from quarterdeck.core.report import Level, Message

RUN = "sha256:" + "1" * 64
PULL = "sha256:" + "2" * 64


def line(**status: object) -> str:
    return json.dumps(status)


def vertex(digest: str = RUN, name: str = "[build 2/3] RUN make", **more: object) -> dict[str, object]:
    return {"digest": digest, "name": name, **more}


def data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def states(events: list[BuildEvent]) -> list[tuple[str, StepState, float | None]]:
    return [(event.step.text, event.state, event.seconds) for event in events if isinstance(event, StepEvent)]


def test_a_step_starts_logs_and_ends_with_its_seconds() -> None:
    parser = RawJsonParser()
    assert parser.feed(line(vertexes=[vertex()])) == []
    started = parser.feed(line(vertexes=[vertex(started="2025-01-01T00:00:00.123456789Z")]))
    assert states(started) == [("RUN make", StepState.STARTED, None)]
    logs = parser.feed(line(logs=[{"vertex": RUN, "stream": 1, "data": data("one\ntw"), "timestamp": "x"}]))
    logs += parser.feed(line(logs=[{"vertex": RUN, "stream": 2, "data": data("o\n\x1b[1mthree"), "timestamp": "x"}]))
    assert [event.text for event in logs if isinstance(event, LogLine)] == ["one", "two"]
    ended = parser.feed(line(vertexes=[vertex(started="2025-01-01T00:00:00Z", completed="2025-01-01T00:00:02.5+00:00")]))
    assert ended[0] == LogLine("#1", "three")
    assert states(ended) == [("RUN make", StepState.DONE, 2.5)]
    assert parser.close(succeeded=True) == []


def test_a_cached_step_starts_and_ends_at_once() -> None:
    time = "2025-01-01T00:00:00Z"
    events = RawJsonParser().feed(line(vertexes=[vertex(started=time, completed=time, cached=True)]))
    assert [state for _, state, _ in states(events)] == [StepState.STARTED, StepState.CACHED]


@pytest.mark.parametrize(
    ("error", "state"), [("process did not complete: exit code: 1", StepState.FAILED), ("x: context canceled", StepState.CANCELLED)]
)
def test_an_error_is_a_failure_unless_it_was_cancelled(error: str, state: StepState) -> None:
    (event,) = RawJsonParser().feed(line(vertexes=[vertex(completed="2025-01-01T00:00:00Z", error=error)]))[1:]
    assert isinstance(event, StepEvent)
    assert (event.state, event.detail) == (state, error)


def test_bytes_that_move_are_reported_for_their_step() -> None:
    parser = RawJsonParser()
    parser.feed(line(vertexes=[vertex(PULL, "[1/2] FROM x")]))
    events = parser.feed(
        line(statuses=[{"id": "layer", "vertex": PULL, "current": 5, "total": 10}, {"id": "gone", "vertex": "?", "current": 1}])
    )
    assert events == [Transfer("#1", "layer", 5, 10)]


def test_what_runs_at_the_end_is_cancelled_by_a_failure() -> None:
    parser = RawJsonParser()
    parser.feed(line(vertexes=[vertex(started="2025-01-01T00:00:00Z")]))
    assert states(parser.close(succeeded=False)) == [("RUN make", StepState.CANCELLED, None)]


def test_other_lines_and_warnings_are_messages() -> None:
    parser = RawJsonParser()
    assert parser.feed("ERROR: failed to solve") == [Message(Level.INFO, "ERROR: failed to solve")]
    assert parser.feed(line(warnings=[{"vertex": RUN, "short": data("LegacyKeyValueFormat: old")}])) == [
        Message(Level.WARNING, "LegacyKeyValueFormat: old")
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["vertexes", "statuses", "logs", "warnings", "digest", "name", "started", "completed", "vertex", "data", "id", "current"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON.map(json.dumps) | st.text(max_size=40), max_size=5))
def test_no_line_breaks_it(lines: list[str]) -> None:
    parser = RawJsonParser()
    for each in lines:
        parser.feed(each)
    parser.close(succeeded=False)
