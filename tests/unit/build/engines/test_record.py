from quarterdeck.build.engines.events import BuildEvent, StepEvent, StepState
from quarterdeck.build.engines.plain_progress import PlainParser
from quarterdeck.build.engines.record import Record

LINES = ("#1 [1/2] FROM x", "#1 DONE 0.5s", "#2 [2/2] RUN y", "#2 0.1 said", "plain words")


def recorded(*lines: str) -> tuple[Record, list[BuildEvent]]:
    events: list[BuildEvent] = []
    record = Record(PlainParser(), events.append)
    for line in (*LINES, *lines):
        record.feed(line)
    return record, events


def test_the_step_that_runs_and_its_lines_are_known() -> None:
    record, _ = recorded()
    assert record.current is not None
    assert record.current.text == "RUN y"
    assert record.tail(record.current) == ("said",)
    assert [(time.step.text, time.seconds) for time in record.steps] == [("FROM x", 0.5)]


def test_a_cancelled_build_ends_its_steps() -> None:
    record, events = recorded()
    record.cancel()
    assert isinstance(events[-1], StepEvent)
    assert events[-1].state is StepState.CANCELLED
    assert record.current is None


def test_the_interrupted_step_is_known_also_when_the_engine_ended_it_itself() -> None:
    record, _ = recorded("#2 CANCELED")
    assert record.current is None
    assert record.interrupted is not None
    assert record.interrupted.text == "RUN y"


def test_the_first_failure_is_the_one_that_counts() -> None:
    record, _ = recorded("#2 ERROR: first", "#3 [3/3] RUN z", "#3 ERROR: second")
    assert record.failed is not None
    assert record.failed.detail == "first"
