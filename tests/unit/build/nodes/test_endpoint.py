import pytest

from quarterdeck.build.nodes.endpoint import check_name, parse_endpoint
from quarterdeck.build.nodes.model import Kind
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "kind", "url"),
    [
        ("local", Kind.LOCAL, "local"),
        ("colima", Kind.DOCKER_CONTEXT, "docker-context://colima"),
        ("docker-context://my.ctx", Kind.DOCKER_CONTEXT, "docker-context://my.ctx"),
        ("ssh://host", Kind.SSH, "ssh://host"),
        ("ssh://me@host:2222/", Kind.SSH, "ssh://me@host:2222"),
        ("ssh://me@[fe80::1]:22", Kind.SSH, "ssh://me@[fe80::1]:22"),
        ("tcp://10.0.0.1:1234", Kind.BUILDKIT, "tcp://10.0.0.1:1234"),
        ("unix:///run/buildkit/buildkitd.sock", Kind.BUILDKIT, "unix:///run/buildkit/buildkitd.sock"),
        ("docker-container://fast", Kind.CONTAINER, "docker-container://fast"),
        ("machine://arm", Kind.MACHINE, "machine://arm"),
        ("buildx://team", Kind.BUILDX, "buildx://team"),
    ],
)
def test_endpoints_mean_what_their_schemes_say(text, kind, url):
    endpoint = parse_endpoint(text)
    assert (endpoint.kind, endpoint.url) == (kind, url)
    assert parse_endpoint(endpoint.url) == endpoint


def test_the_parts_of_an_ssh_endpoint():
    endpoint = parse_endpoint("ssh://me@build.example.org:2222")
    assert (endpoint.user, endpoint.host, endpoint.port) == ("me", "build.example.org", 2222)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-name",
        "http://host",
        "ssh://",
        "ssh://-oProxyCommand=evil",
        "ssh://-l@host",
        "ssh://me@host:0",
        "ssh://me@host:99999",
        "ssh://me@host/path",
        "ssh://me@host?x",
        "ssh://me@host name",
        "ssh://me@host\nother",
        "tcp://host",
        "tcp://me@host:1",
        "unix://run/socket",
        "unix:///" + "x" * 200,
        "machine://",
        "machine://../etc",
        "machine://a/b",
        "docker-context://--host",
        "buildx://a b",
        "ssh://[::1",
    ],
)
def test_what_is_no_endpoint_is_refused_with_all_forms_named(text):
    with pytest.raises(UsageError) as caught:
        parse_endpoint(text)
    assert caught.value.key == "invalid-endpoint"
    assert "machine://NAME" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("me@host", "ssh://me@host"),
        ("me@host:2222", "ssh://me@host:2222"),
        ("host:1234", "tcp://host:1234"),
        ("http://host:2375/", "tcp://host:2375"),
        ("https://host:2376", "tcp://host:2376"),
        ("/run/buildkit/buildkitd.sock", "unix:///run/buildkit/buildkitd.sock"),
    ],
)
def test_what_was_probably_meant_is_named_and_is_an_endpoint(text, meant):
    with pytest.raises(UsageError) as caught:
        parse_endpoint(text)
    assert f"did you mean {meant}?" in caught.value.hint
    assert parse_endpoint(meant).url == meant


@pytest.mark.parametrize("text", ["http://host", "me:secret@host", "-oProxyCommand=x@host", "kube://x", "//x", "/a b"])
def test_nothing_is_guessed_where_nobody_can_tell(text):
    with pytest.raises(UsageError) as caught:
        parse_endpoint(text)
    assert "did you mean" not in caught.value.hint


def test_a_password_is_refused_before_it_could_be_stored():
    with pytest.raises(UsageError) as caught:
        parse_endpoint("ssh://me:secret@host")
    assert caught.value.key == "endpoint-with-password"
    assert "secret" not in str(caught.value.to_json())


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a b", "a\n", "x" * 65, "ä"])
def test_names_that_would_hurt_elsewhere_are_refused(name):
    with pytest.raises(UsageError):
        check_name(name)
