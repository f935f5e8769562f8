import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.ignore import Ignore, parse_ignore, read_ignore
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "path", "ignored"),
    [
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a", "b/a", False),
        ("/a/", "a/b", True),
        ("./a/../b", "b", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/x/README.md", True),
        ("**/*.md", "README.md", True),
        ("**/a", "a", True),
        ("**/a", "x/ya", False),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("**", "anything/at/all", True),
        ("*/temp*", "x/temporary.txt", True),
        ("*/*/temp*", "x/temporary.txt", False),
        ("temp?", "tempa", True),
        ("temp?", "temp/", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("a.b", "axb", False),
        ("# a", "# a", False),
        (" # a", "# a", True),
        ("  a  ", "a", True),
        ("\ufeffa", "a", True),
        ("a\r\nb\r\n", "b", True),
        ("*\n!keep", "keep", False),
        ("*\n!keep", "keep/me", False),
        ("*\n!keep\nkeep/not", "keep/not", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("a\n! a/b", "a/b", False),
        ("!a\na", "a", True),
        ("**", ".", False),
        ("a", "./a/", True),
        ("a{2}b*", "aabx", True),
        ("*a?b*c", "xa.bab_c", True),
        ("*a*b*", "x/ab", False),
    ],
)
def test_what_is_left_out(text, path, ignored):
    assert parse_ignore(text).matches(path) is ignored


@pytest.mark.parametrize(("text", "line"), [("a\n!", 2), ("[a", 1), ("a\\", 1), ("b\n\n[]", 3), ("*\\q*", 1), ("[z-a]", 1)])
def test_wrong_patterns_carry_their_line(text, line):
    with pytest.raises(DockerfileError) as caught:
        parse_ignore(text)
    assert caught.value.line == line


def test_the_file_of_the_dockerfile_comes_first(tmp_path):
    (tmp_path / ".dockerignore").write_text("common\n")
    (tmp_path / "build").mkdir()
    dockerfile = tmp_path / "build" / "app.Dockerfile"
    assert read_ignore(tmp_path, dockerfile).matches("common")
    (tmp_path / "build" / "app.Dockerfile.dockerignore").write_text("own\n")
    ignore = read_ignore(tmp_path, dockerfile)
    assert (ignore.matches("common"), ignore.matches("own")) == (False, True)
    assert ignore.name.endswith("app.Dockerfile.dockerignore")


def test_nothing_is_left_out_without_a_file(tmp_path):
    assert read_ignore(tmp_path) == Ignore()
    assert not Ignore().matches("a")


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / ".dockerignore").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_ignore(tmp_path)


def test_exceptions_are_known():
    assert parse_ignore("*\n!a").has_exceptions
    assert not parse_ignore("*").has_exceptions


def test_a_pattern_of_many_stars_takes_no_time():
    assert not parse_ignore("*a" * 40 + "b").matches("a" * 4000)
    assert not parse_ignore("**/" * 40 + "b").matches("a/" * 200 + "c")
