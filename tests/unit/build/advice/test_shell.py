import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from quarterdeck.build.advice.shell import Script, read_script
from quarterdeck.build.advice.text import file_lines
from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse


def script(run: str) -> Script:
    dockerfile = parse(f"FROM a\n{run}\n")
    return read_script(dockerfile, dockerfile.instructions[1])


def words(run: str) -> list[list[str]]:
    return [[word.text for word in (*command.assignments, *command.words)] for command in script(run).commands]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("RUN a b && c; d | e", [["a", "b"], ["c"], ["d"], ["e"]]),
        ("RUN A=1 B='x y' cmd \"$C d\" 'e'", [["A=1", "B=x y", "cmd", "$C d", "e"]]),
        ("RUN cmd > out 2>&1 < in x", [["cmd", "x"]]),
        ("RUN --mount=type=cache,target=/x --network=none cmd", [["cmd"]]),
        ("RUN echo $(a && b) `c; d` ${E:-f g}", [["echo", "$(a && b)", "`c; d`", "${E:-f g}"]]),
        ("RUN a \\\n  # no\n  b \\\n\n  c", [["a", "b", "c"]]),
        ("RUN <<EOF\na b\n\n# no\nc \\\n  d\nEOF", [["a", "b"], ["c", "d"]]),
        ("RUN echo a # rest && b", [["echo", "a"]]),
        ("RUN X=$(uname -m)", [["X=$(uname -m)"]]),
    ],
)
def test_commands_and_words(run, expected):
    assert words(run) == expected
    assert script(run).plain


@pytest.mark.parametrize(
    "run",
    [
        'RUN ["a", "b"]',
        "RUN if a; then b; fi",
        "RUN a || b",
        "RUN (a)",
        "RUN { a; }",
        "RUN a &",
        "RUN echo 'open",
        "RUN echo $(open",
        "RUN <<EOF cat\nx\nEOF",
        "RUN for i in 1; do a; done",
    ],
)
def test_what_is_more_than_a_list_of_commands_is_not_plain(run):
    assert not script(run).plain


_PIECES = st.sampled_from(
    ["a", "go", " ", "&&", ";", "|", "'", '"', "$(", ")", "`", "${x}", "\\", "\\\n", "#", ">", "<", "(", "{", "X=1", "é", "\t"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_read_and_every_word_stands_where_it_says(text):
    try:
        dockerfile = parse(f"FROM a\nRUN x {text}\nRUN end\n")
    except DockerfileError:
        reject()
    lines = file_lines(dockerfile)
    for command in read_script(dockerfile, dockerfile.instructions[1]).commands:
        for word in (*command.assignments, *command.words):
            if word.end >= 0:
                assert lines[word.line - 1][word.column : word.end] == word.raw
