"""Whatever a Dockerfile holds: it is read or refused with a line, and what is read stands where it says."""

import contextlib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.build.dockerfile.errors import DockerfileError, SyntaxFault
from quarterdeck.build.dockerfile.expand import expand, expand_words, used_names
from quarterdeck.build.dockerfile.ignore import parse_ignore
from quarterdeck.build.dockerfile.mounts import MountType, parse_mount
from quarterdeck.build.dockerfile.parser import parse

CORPUS = [
    path.read_bytes() for path in sorted((Path(__file__).parents[1] / "data" / "dockerfiles").glob("*/*")) if path.stat().st_size < 9000
]
PIECES = [
    *(
        "\\",
        "\n",
        " ",
        "\t",
        "'",
        '"',
        "<<",
        "<<-EOF",
        "EOF",
        "\nEOF\n",
        "$",
        "${",
        "}",
        "#",
        "`",
        "--",
        "=",
        "[",
        "]",
        ",",
        "\r\n",
        "\\\n",
    ),
    *("FROM ", " AS ", "ONBUILD ", "RUN ", "COPY ", "ENV ", "HEALTHCHECK ", "# escape=`\n", "--mount=", "--link ", "ARG ", "\x00", "\x85"),
]
FILES = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=30).map("".join)
WORDS = st.lists(
    st.sampled_from(["$", "${", "}", ":-", ":?", "#", "%", "/", "//", "\\", "'", '"', " ", "*", "?", "a", "b"]), max_size=20
).map("".join)
PATTERNS = st.lists(
    st.sampled_from(["*", "**", "/", "?", "[", "]", "^", "-", "\\", "!", "a", ".", "\n", "{", "|"]) | st.text(max_size=2), max_size=12
)


@st.composite
def mutants(draw):
    """Return a file of the corpus with up to six places changed."""
    content = draw(st.sampled_from(CORPUS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        size = draw(st.sampled_from([0, 0, 1, 2, 8, 40]))
        new = draw(st.sampled_from([piece.encode() for piece in PIECES]) | st.binary(max_size=3))
        content = content[:start] + new + content[start + size :]
    return content


def read(content):
    try:
        return parse(content)
    except DockerfileError as error:
        return error


def check_places(content):
    """Read the content; when it is accepted, its spans must follow each other and leave only comments and empty lines."""
    dockerfile = read(content)
    if isinstance(dockerfile, DockerfileError):
        assert dockerfile.line >= 1
        assert dockerfile.message.startswith(f"Dockerfile:{dockerfile.line}: ")
        return
    text = content.decode("utf-8", "surrogateescape") if isinstance(content, bytes) else content
    assert dockerfile.text == text
    clean = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    lines = clean.removeprefix("\ufeff").split("\n")
    last = 0
    for instruction in dockerfile.instructions:
        span = instruction.span
        assert last < span.first <= span.last <= len(lines)
        assert instruction.source == "\n".join(lines[span.first - 1 : span.last])
        assert all(line.lstrip()[:1] in ("", "#") for line in lines[last : span.first - 1])
        assert all(doc.span.first > span.first and doc.span.last <= span.last for doc in instruction.heredocs)
        last = span.last
    assert all(line.lstrip()[:1] in ("", "#") for line in lines[last:])


@settings(max_examples=300, deadline=None)
@given(mutants())
def test_mutants_of_the_corpus(content):
    check_places(content)


@settings(max_examples=300, deadline=None)
@given(FILES | FILES.map(lambda text: f"FROM scratch\n{text}"))
def test_texts(text):
    check_places(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60).map(lambda content: b"FROM scratch\nRUN a\nCMD " + content))
def test_bytes(content):
    check_places(content)


@settings(max_examples=300, deadline=None)
@given(WORDS, st.dictionaries(st.sampled_from("ab"), st.text(max_size=8)), st.sampled_from("\\`"))
def test_expansion_ends(text, variables, escape):
    try:
        result = expand(text, variables, escape=escape)
        used_names(text, escape=escape)
    except SyntaxFault:
        return
    assert all(word for word in expand_words(text, variables, escape=escape))
    assert isinstance(result, str)


@given(st.text(alphabet=st.characters(blacklist_characters="$'\"\\<", blacklist_categories=["Cs"]), max_size=40))
def test_plain_text_expands_to_itself(text):
    assert expand(text, {}) == text


@given(st.text(max_size=30))
def test_single_quotes_keep_everything(text):
    kept = text.replace("'", "")
    assert expand(f"'{kept}'", {"a": "b"}) == kept


@settings(max_examples=300, deadline=None)
@given(PATTERNS.map("".join), st.lists(st.text(alphabet="a.b/[-", min_size=1, max_size=8), max_size=4))
def test_ignore_patterns_match_or_are_refused(text, paths):
    try:
        ignore = parse_ignore(text)
    except DockerfileError:
        return
    for path in paths:
        assert ignore.matches(path) in (True, False)


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["type=", "cache", ",", '"', "size=", "mode=", "1e9", "\n", "ro"]), max_size=8).map("".join)
)
def test_mounts_are_read_or_refused(text):
    with contextlib.suppress(SyntaxFault):
        assert parse_mount(text).type in MountType
