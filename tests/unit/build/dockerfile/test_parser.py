import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.model import Flag, Pair, Span
from quarterdeck.build.dockerfile.parser import MAX_SIZE, parse


def only(text: str):
    """Return the instruction after ``FROM scratch``."""
    dockerfile = parse(f"FROM scratch\n{text}")
    assert len(dockerfile.instructions) == 2
    return dockerfile.instructions[1]


def test_keyword_is_upper_case_and_the_text_is_what_follows_the_flags():
    run = only("run --network=none  echo  hello ")
    assert (run.keyword, run.flags, run.text, run.words) == ("RUN", (Flag("network", "none"),), "echo  hello", None)


def test_continued_lines_are_joined_and_comments_between_them_dropped():
    run = only("RUN a \\\n  # comment\n\n  && b\n")
    assert run.text == "a   && b"
    assert run.span == Span(2, 5)
    assert run.source == "RUN a \\\n  # comment\n\n  && b"


def test_an_empty_line_in_a_continuation_is_noticed_with_its_number():
    assert [notice.line for notice in parse("FROM scratch\nRUN a \\\n\n b\n").notices] == [3]


def test_a_doubled_escape_at_the_end_continues_nothing():
    assert [instruction.text for instruction in parse("FROM scratch\nRUN a\\\\\nRUN b").instructions] == ["scratch", "a\\\\", "b"]


def test_escape_directive_changes_what_continues_a_line():
    dockerfile = parse("# escape=`\nFROM scratch\nCOPY a `\n  C:\\\n")
    assert dockerfile.directives.escape == "`"
    assert dockerfile.instructions[1].arguments == ("a", "C:\\")


def test_directives_count_only_at_the_top_and_in_any_case():
    top = parse("# SynTax = a/b:1 more\n#check=skip=all\nFROM scratch\n").directives
    assert (top.syntax, top.check, top.escape) == ("a/b:1", "skip=all", "\\")
    assert parse("\n# syntax=a\nFROM scratch\n").directives.syntax == ""
    assert parse("# c\n# escape=`\nFROM scratch\n").directives.escape == "\\"


def test_a_shebang_does_not_hide_the_syntax_but_the_escape():
    directives = parse("#!/usr/bin/env docker\n# syntax=a\n# escape=`\nFROM scratch\n").directives
    assert (directives.syntax, directives.escape) == ("a", "\\")


def test_wrong_directives_below_a_shebang_are_left_alone():
    assert parse("#!x\n# syntax=a\n# syntax=b\nFROM scratch\n").directives.syntax == "a"


def test_flags_that_buildkit_misreads_are_noticed():
    assert [notice.line for notice in parse("FROM scratch\nCOPY --from=größe a b\n").notices] == [2]


def test_other_comment_styles_hold_no_directives():
    with pytest.raises(DockerfileError, match="Dockerfile:1: '//' is no instruction"):
        parse("// syntax=a\nFROM scratch\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [('["a", "b c"]', ("a", "b c")), ("[]", ()), ('["a",]', None), ("['a']", None), ("[ -f x ]", None), ('["\\ud800"]', ("\ufffd",))],
)
def test_json_form_or_shell_form(text, words):
    assert only(f"CMD {text}").words == words


def test_json_of_anything_but_strings_is_refused():
    with pytest.raises(DockerfileError, match="Dockerfile:2: a JSON array"):
        only('RUN ["a", null]')


def test_json_nested_without_end_is_the_shell_form():
    assert only("RUN " + "[" * 5000).words is None


def test_words_of_copy_in_both_forms():
    assert only("COPY --from=x a  b\tc/").arguments == ("a", "b", "c/")
    assert only('COPY ["a b", "c/"]').arguments == ("a b", "c/")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("ENV A the rest", (Pair("A", "the rest"),)),
        ('ENV A=1 B="x y" C=z\\ z', (Pair("A", "1"), Pair("B", '"x y"'), Pair("C", "z\\ z"))),
        ("LABEL a=", (Pair("a", ""),)),
        ("ARG A B=2 C='3 3'", (Pair("A", None), Pair("B", "2"), Pair("C", "'3 3'"))),
    ],
)
def test_pairs_of_env_label_and_arg(text, pairs):
    assert only(text).pairs == pairs


def test_flags_take_quotes_and_repeat():
    run = only("RUN --mount='type=cache,target=/a b' --mount=\"type=ssh\" x")
    assert run.flag_values("mount") == ("type=cache,target=/a b", "type=ssh")
    assert run.flag("network") is None


def test_boolean_flags():
    assert only("COPY --link a b").is_set("link")
    assert not only("COPY --link=FALSE a b").is_set("link")
    assert not only("COPY a b").is_set("link")


def test_two_dashes_end_the_flags():
    assert only("RUN -- --not-a-flag").text == "--not-a-flag"


def test_heredocs_follow_each_other():
    run = only("RUN <<A cat >a && <<-'B' cat >b\none\nA\n\ttwo $X\n\tB\n")
    first, second = run.heredocs
    assert (first.name, first.content, first.expand, first.chomp, first.span) == ("A", "one\n", True, False, Span(3, 4))
    assert (second.name, second.content, second.body, second.expand) == ("B", "\ttwo $X\n", "two $X\n", False)
    assert run.span == Span(2, 6)


@pytest.mark.parametrize(
    "line", ["RUN echo '<<EOF'", "RUN cat<<EOF", 'RUN ["<<EOF"]', "RUN cat <<<EOF", 'RUN echo "open <<EOF', "CMD cat <<EOF"]
)
def test_what_starts_no_heredoc(line):
    assert only(line).heredocs == ()


@pytest.mark.parametrize(
    ("line", "end"),
    [("RUN << EOF", "EOF"), ("RUN 3<<EOF", "EOF"), ("RUN <<'a b'", "a b"), ("COPY <<a.txt /x", "a.txt"), ("ADD <<\\E /x", "E")],
)
def test_what_starts_a_heredoc(line, end):
    assert [doc.name for doc in only(f"{line}\nFROM\n{end}\n").heredocs] == [end]


def test_carriage_returns_end_lines_but_stay_in_heredocs():
    dockerfile = parse("FROM scratch\r\nRUN <<EOF\r\na\r\nEOF\r\nCMD x\r\n")
    assert dockerfile.instructions[1].heredocs[0].content == "a\r\n"
    assert dockerfile.instructions[2].text == "x"


def test_onbuild_keeps_an_instruction_with_its_heredoc():
    trigger = only("ONBUILD RUN --network=none <<EOF\nx\nEOF\n").trigger
    assert trigger is not None
    assert (trigger.keyword, trigger.flag("network"), trigger.heredocs[0].content) == ("RUN", "none", "x\n")


def test_onbuild_judges_no_flags_of_what_it_keeps():
    assert only("ONBUILD COPY --future a b").trigger is not None


def test_healthcheck_type_and_command():
    assert only('HEALTHCHECK --retries=3 CMD ["a"]').arguments == ("CMD", "a")
    assert only("HEALTHCHECK none").arguments == ("none",)


def test_a_byte_order_mark_is_skipped():
    assert parse("\ufefffrom scratch").instructions[0].keyword == "FROM"


def test_bytes_that_are_not_utf8_are_kept_in_the_text_and_noticed():
    content = b"# Gr\xfc\xdfe\nFROM scratch\nRUN echo \xff\n"
    dockerfile = parse(content)
    assert dockerfile.text.encode("utf-8", "surrogateescape") == content
    assert dockerfile.instructions[1].text == "echo \ufffd"
    assert [notice.line for notice in dockerfile.notices] == [1]


def test_errors_carry_name_line_and_hint():
    with pytest.raises(DockerfileError) as caught:
        parse("FROM scratch\n\nCOPPY a b\n", name="app.Dockerfile")
    error = caught.value
    assert (error.message, error.line, error.name, error.hint) == (
        "app.Dockerfile:3: 'COPPY' is no instruction",
        3,
        "app.Dockerfile",
        "did you mean COPY?",
    )
    assert error.exit_code == 2


def test_a_line_of_64_kib_is_refused_and_a_shorter_one_is_not():
    longest = "RUN " + "x" * (65535 - 4)
    assert only(longest).text
    with pytest.raises(DockerfileError, match="Dockerfile:2: the line is longer"):
        only(longest + "x")


def test_many_bytes_are_refused_at_once():
    with pytest.raises(DockerfileError, match="16 MiB"):
        parse(b"#" * (MAX_SIZE + 1))
    with pytest.raises(DockerfileError, match="16 MiB"):
        parse("é" * (MAX_SIZE // 2 + 1))


def test_sources_and_the_lines_between_them_are_the_whole_text():
    text = "# a\n\nFROM scratch\n# b\nRUN <<E\nx\nE\n"
    lines = text.split("\n")
    for instruction in parse(text).instructions:
        assert "\n".join(lines[instruction.span.first - 1 : instruction.span.last]) == instruction.source
