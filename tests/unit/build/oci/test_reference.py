import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.oci.reference import Reference
from quarterdeck.errors import UsageError

D = "sha256:" + "b" * 64


# What distribution/reference 0.6 makes of them.
@pytest.mark.parametrize(
    ("text", "normal", "familiar"),
    [
        ("debian", "docker.io/library/debian", "debian"),
        ("debian:12", "docker.io/library/debian:12", "debian:12"),
        ("library/debian", "docker.io/library/debian", "debian"),
        ("index.docker.io/debian", "docker.io/library/debian", "debian"),
        ("docker.io/debian", "docker.io/library/debian", "debian"),
        ("owner/app", "docker.io/owner/app", "owner/app"),
        ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("localhost/app", "localhost/app", "localhost/app"),
        ("localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b"),
        ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
        ("ghcr.io/o/app:v1@" + D, "ghcr.io/o/app:v1@" + D, "ghcr.io/o/app:v1@" + D),
        ("debian@" + D, "docker.io/library/debian@" + D, "debian@" + D),
        ("Registry/app", "Registry/app", "Registry/app"),
        ("a__b/c--d.e", "docker.io/a__b/c--d.e", "a__b/c--d.e"),
    ],
)
def test_a_name_has_one_normal_form(text, normal, familiar):
    reference = Reference.parse(text)
    assert (str(reference), reference.familiar) == (normal, familiar)
    assert Reference.parse(normal) == Reference.parse(familiar) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Debian",
        "a/B",
        ":x",
        "a:",
        "a:x y",
        "a:-x",
        "a@",
        "a@sha256:1",
        "a//b",
        "/a",
        "a/",
        "a_-b/c",
        "a..b",
        "-a",
        "a" * 300,
        "a" * 64,
        "a:" + "t" * 129,
        "https://x/y",
        "x y",
        "é",
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(UsageError):
        Reference.parse(text)


def test_a_transport_gets_a_tag_or_a_digest():
    assert Reference.parse("a").for_transport == "docker.io/library/a:latest"
    assert Reference.parse("a:1").for_transport == "docker.io/library/a:1"
    assert Reference.parse(f"a:1@{D}").for_transport == f"docker.io/library/a@{D}"


def normal_form(text):
    try:
        return Reference.parse(text)
    except UsageError:
        return None


@given(st.text(st.sampled_from("aA0.-_:/@[]"), max_size=20) | st.text(max_size=20))
def test_any_text_is_a_name_that_stays_itself_or_refused(text):
    reference = normal_form(text)
    assert reference is None or Reference.parse(str(reference)) == reference
