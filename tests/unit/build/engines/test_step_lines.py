from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState
from quarterdeck.build.engines.step_lines import StepLinesParser
from quarterdeck.core.report import Level, Message

# As buildah 1.28.2 printed it.
TWO_STAGES = """\
[1/2] STEP 1/3: FROM localhost/debian:trixie AS build
[1/2] STEP 2/3: ARG TARGETARCH
--> Using cache 059c36d18de36ed71e7c8ef5c962a80dd01b8ded751794cf1f190940d2d9dbe5
--> 059c36d18de
[1/2] STEP 3/3: RUN echo hello
hello
--> 9a7ccc3906d
[2/2] STEP 1/2: FROM localhost/debian:trixie
[2/2] STEP 2/2: COPY --from=build /a /b
[2/2] COMMIT
--> 1da7da4ab45
[Warning] one or more build args were not consumed: [TARGETOS TARGETPLATFORM]
1da7da4ab45e9ab2c2a573cbbe7c686eb8bfe8685eb464e3c95be839dafde508
"""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def parse(text: str, *, succeeded: bool = True) -> list[BuildEvent]:
    parser = StepLinesParser(Clock())
    return [event for line in text.splitlines() for event in parser.feed(line)] + parser.close(succeeded=succeeded)


def ends(events: list[BuildEvent]) -> list[tuple[str, StepState]]:
    return [(event.step.title, event.state) for event in events if isinstance(event, StepEvent) and event.state is not StepState.STARTED]


def test_a_recorded_build_gives_its_steps() -> None:
    events = parse(TWO_STAGES)
    assert ends(events) == [
        ("[1 1/3] FROM localhost/debian:trixie AS build", StepState.DONE),
        ("[1 2/3] ARG TARGETARCH", StepState.CACHED),
        ("[1 3/3] RUN echo hello", StepState.DONE),
        ("[2 1/2] FROM localhost/debian:trixie", StepState.DONE),
        ("[2 2/2] COPY --from=build /a /b", StepState.DONE),
    ]
    assert [event for event in events if isinstance(event, LogLine | Message)] == [LogLine("1.3", "hello")]


def test_seconds_are_measured_between_lines() -> None:
    events = parse("STEP 1/2: FROM x\nSTEP 2/2: RUN y\n")
    assert [event.seconds for event in events if isinstance(event, StepEvent) and event.state is StepState.DONE] == [1.0, 1.0]


def test_a_failed_step_has_the_error() -> None:
    events = parse('STEP 1/2: FROM x\nSTEP 2/2: RUN false\nError: building at STEP "RUN false": exit status 1\n', succeeded=False)
    last = events[-1]
    assert isinstance(last, StepEvent)
    assert (last.state, last.detail) == (StepState.FAILED, 'building at STEP "RUN false": exit status 1')


def test_a_run_that_prints_a_step_is_not_believed() -> None:
    events = parse("STEP 1/3: FROM x\nSTEP 2/3: RUN y\nSTEP 1/3: FROM evil\nSTEP 9/9: RUN evil\nSTEP 3/3: RUN z\n")
    assert [title for title, _ in ends(events)] == ["[1/3] FROM x", "[2/3] RUN y", "[3/3] RUN z"]
    assert [event.text for event in events if isinstance(event, LogLine)] == ["STEP 1/3: FROM evil", "STEP 9/9: RUN evil"]


def test_a_step_goes_on_while_its_cache_is_pulled() -> None:
    events = parse("STEP 1/1: RUN x\n--> Cache pulled from remote r/cache:1\n--> Using cache 68f29457\n--> 68f29457238\n")
    assert ends(events) == [("[1/1] RUN x", StepState.CACHED)]


def test_the_platform_of_a_line_is_kept() -> None:
    events = parse("[linux/arm64] [1/2] STEP 1/1: FROM x\n[linux/arm64] [2/2] STEP 1/1: FROM y\n[linux/arm64] [2/2] COMMIT z\n")
    assert [title for title, _ in ends(events)] == ["[linux/arm64 1 1/1] FROM x", "[linux/arm64 2 1/1] FROM y"]


def test_lines_of_its_own_log_are_messages() -> None:
    events = parse('time="2026-11-24T14:17:27Z" level=warning msg="Failed, \\"x\\" retrying"\n[Warning] something else\n')
    assert events == [Message(Level.WARNING, 'Failed, "x" retrying'), Message(Level.WARNING, "something else")]


@given(st.lists(st.from_regex(r"(\[[0-9]/[0-9]\] )?STEP [0-9]{1,3}/[0-9]{1,3}: x") | st.text(max_size=30), max_size=8))
def test_no_line_breaks_it(lines: list[str]) -> None:
    parser = StepLinesParser()
    for line in lines:
        parser.feed(line)
    parser.close(succeeded=False)
