import pytest

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.expand import expand, expand_words, used_names
from quarterdeck.build.dockerfile.shell import MAX_DEPTH

SET = {"x": "value", "empty": "", "path": "/a/b.tar.gz", "tag": "v1.2.3-rc.1", "words": "a b  c", "é": "accent", "1": "one"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$x-${x}", "value-value"),
        ("$unset|${unset}", "|"),
        ("${unset:-d}${unset-d}${empty:-d}${empty-d}${x:-d}", "dddvalue"),
        ("${unset:+d}${unset+d}${empty:+d}${empty+d}${x:+d}", "dd"),
        ("${x:?bad}${empty?bad}", "value"),
        ("${unset:-${x}}", "value"),
        ("${unset:-'$x' \"$x\"}", "$x value"),
        ("${path#*/}|${path##*/}", "a/b.tar.gz|b.tar.gz"),
        ("${path%.*}|${path%%.*}", "/a/b.tar|/a/b"),
        ("${path#?a}|${path%nothing}", "/b.tar.gz|/a/b.tar.gz"),
        ("${tag#v}", "1.2.3-rc.1"),
        ("${tag/./_}|${tag//./_}", "v1_2.3-rc.1|v1_2_3-rc_1"),
        ("${path/\\//-}|${path//\\//-}", "-a/b.tar.gz|-a-b.tar.gz"),
        ("${tag//?/x}", "xxxxxxxxxxx"),
        ("${x/v*e/$tag}", "v1.2.3-rc.1"),
        ("${unset#a}${unset%a}${unset/a/b}", ""),
        ("'single $x'", "single $x"),
        ('"double $x \\" \\$x \\n"', 'double value " $x \\n'),
        ("a\\ b\\$x", "a b$x"),
        ("end\\", "end"),
        ("$", "$"),
        ("$ $.", "$ $."),
        ("$1 $é $x_", "one accent "),
        ("$?$@", ""),
        ("a<b << c", "a<b << c"),
    ],
)
def test_operators_and_quotes(text, result):
    assert expand(text, SET) == result


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("${", "missing '}'"),
        ("${x", "missing '}'"),
        ("${}", "no variable's name"),
        ("${{x}}", "no variable's name"),
        ("${x:}", "':' is no operator"),
        ("${x:#a}", "':#' is no operator"),
        ("${x!}", "'!' is no operator"),
        ("${x:-a", "'}' should follow"),
        ("${x/a}", "'/' should follow"),
        ("'open", "single quote"),
        ('"open', "double quote"),
        ("${unset?}", "unset: is not allowed to be unset"),
        ("${empty:?}", "empty: is not allowed to be empty"),
        ("${unset:?must be given}", "unset: must be given"),
        ("${x#\\a}", "escapes 'a'"),
    ],
)
def test_what_cannot_be_expanded(text, fault):
    with pytest.raises(SyntaxFault) as caught:
        expand(text, SET)
    assert fault in caught.value.message


def test_unset_variables_can_be_kept():
    assert expand("$unset ${unset} ${unset:-d} ${unset#a} ${unset//a/b} $x", SET, keep_unset=True) == (
        "$unset ${unset} ${unset:-d} ${unset#a} ${unset/a/b} value"
    )


def test_quotes_and_escapes_can_be_kept():
    assert expand("'a' \"$x\" \\b", SET, raw_quotes=True) == "'a' \"value\" b"
    assert expand('"a\\"" \\b', SET, raw_escapes=True) == 'a\\" \\b'
    assert expand("it's $x", SET, quotes=False) == "it's value"


def test_another_escape_character():
    assert expand('C:\\a `$x "`$x"', SET, escape="`") == "C:\\a $x $x"


def test_words_are_split_after_expansion():
    assert expand_words("$words \"$words\" a\\ b '' c", SET) == ("a", "b", "c", "a b  c", "a b", "c")


def test_used_names_include_those_in_defaults():
    assert used_names("$a ${b:-${c}} '$d' \"${e#f}\" \\$g ${h:?i}") == {"a", "b", "c", "e", "h"}


def test_deep_nesting_is_refused_and_not_a_crash():
    inside = "x"
    for _ in range(MAX_DEPTH + 1):
        inside = "${unset:-" + inside + "}"
    with pytest.raises(SyntaxFault, match="nested"):
        expand(inside, {})


def test_a_pattern_of_many_stars_takes_no_time():
    assert expand("${x##" + "*a" * 30 + "b}", {"x": "a" * 2000}) == "a" * 2000


def test_the_replacement_for_all_is_a_template():
    assert expand("${x//l/[$r]}", {"x": "hello", "r": "$0-${1}$$"}) == "he[l-$][l-$]o"
