from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState, Transfer
from quarterdeck.build.engines.plain_progress import PlainParser
from quarterdeck.core.report import Level, Message

# As Docker 20.10.24 printed it.
RECORDED = """\
#1 [internal] load build definition from Bad
#1 sha256:4a23cc2ab10fd74d274c6e744ae5bd8ad068f7804f3a547a3b4aae0ccb2cd2c0
#1 transferring dockerfile: 102B done
#1 DONE 0.0s

#4 [1/3] FROM localhost/debian-aarch64:trixie
#4 sha256:4482e526606b8a0d7c86b32a11648c276290554e993a5b5188049e52fd687cb7
#4 CACHED

#5 [2/3] RUN echo before
#5 sha256:67e39e471efd1f7c035b3a75803daa6e00be1fb91ef25757fdeb870cafe03e1e
#5 0.053 before
#5 0.054 \x1b[31mred
#5 DONE 1.5s

#6 [3/3] RUN sh -c 'kill -ILL $$'
#6 sha256:745241df81adeaf5c68f17e7f573fe167f535fcd673b0e5e2b9f6f031f400ea7
#6 0.072 qemu: uncaught target signal 4 (Illegal instruction) - core dumped
#6 ERROR: executor failed running [/bin/sh -c sh -c 'kill -ILL $$']: exit code: 132
------
 > [3/3] RUN sh -c 'kill -ILL $$':
------
executor failed running [/bin/sh -c sh -c 'kill -ILL $$']: exit code: 132
"""


def parse(text: str) -> list[BuildEvent]:
    parser = PlainParser()
    return [event for line in text.splitlines() for event in parser.feed(line)]


def test_a_recorded_build_gives_its_steps() -> None:
    events = parse(RECORDED)
    ends = [
        (event.step.text, event.state, event.seconds)
        for event in events
        if isinstance(event, StepEvent) and event.state is not StepState.STARTED
    ]
    assert ends == [
        ("load build definition from Bad", StepState.DONE, 0.0),
        ("FROM localhost/debian-aarch64:trixie", StepState.CACHED, 0.0),
        ("RUN echo before", StepState.DONE, 1.5),
        ("RUN sh -c 'kill -ILL $$'", StepState.FAILED, None),
    ]
    assert [event.text for event in events if isinstance(event, LogLine)][:2] == ["before", "red"]
    assert not [event for event in events if isinstance(event, Message)]


def test_steps_that_take_turns_keep_their_lines() -> None:
    events = parse(
        "#5 [a 2/2] RUN a\n#5 0.1 one\n#5 ...\n\n#6 [b 2/2] RUN b\n#6 0.1 two\n#6 DONE 0.2s\n\n#5 [a 2/2] RUN a\n#5 0.4 three\n#5 DONE 0.5s"
    )
    assert [(event.step, event.text) for event in events if isinstance(event, LogLine)] == [("#5", "one"), ("#6", "two"), ("#5", "three")]
    assert len([event for event in events if isinstance(event, StepEvent)]) == 4


def test_bytes_that_move_are_reported() -> None:
    events = parse("#4 [1/2] FROM x\n#4 sha256:abc 1.05MB / 29.1MB 0.2s\n#4 transferring context: 2kB done")
    assert events[1:] == [Transfer("#4", "sha256:abc", 1_050_000, 29_100_000), Transfer("#4", "transferring context:", 2000, None)]


def test_a_cancelled_step_is_no_failure() -> None:
    events = parse("#5 [2/2] RUN a\n#5 CANCELED\n#6 [2/2] RUN b\n#6 ERROR: context canceled")
    assert [event.state for event in events if isinstance(event, StepEvent)][1::2] == [StepState.CANCELLED, StepState.CANCELLED]


def test_words_of_the_client_are_messages() -> None:
    assert parse("Error response from daemon: no") == [Message(Level.INFO, "Error response from daemon: no")]


@given(st.lists(st.from_regex(r"#?[0-9]{0,2} ?[A-Z\[\]a-z0-9/.: ]{0,20}") | st.text(max_size=30), max_size=8))
def test_no_line_breaks_it(lines: list[str]) -> None:
    parser = PlainParser()
    for line in lines:
        parser.feed(line)
    parser.close(succeeded=False)
