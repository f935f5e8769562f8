import pytest

from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.skopeo import failure, message_of

HUB, OWN = Reference.parse("app:1"), Reference.parse("127.0.0.1:5000/app:1")
FATAL = 'time="2026-11-24T14:57:42Z" level=fatal msg="pinging registry: Get \\"https://r/v2/\\": {}"'


def test_lines_of_a_log_become_what_they_say():
    assert message_of(FATAL.format("bad")) == ("fatal", 'pinging registry: Get "https://r/v2/": bad')
    assert message_of("Copying blob sha256:0") == ("", "Copying blob sha256:0")
    assert message_of('time="x" level=warning msg=short') == ("warning", "short")
    assert message_of('time="x" level=warning msg="\\x1b odd"') == ("warning", "\\x1b odd")


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "registry-unreachable"),
        ("dial tcp: lookup r: no such host", "registry-unreachable"),
        ("unauthorized: authentication required", "registry-denied"),
        ("denied: requested access to the resource is denied", "registry-denied"),
        ("reading manifest 1 in r/app: manifest unknown", "image-not-found"),
        ("http: server gave HTTP response to HTTPS client", "registry-without-tls"),
        ("x509: certificate signed by unknown authority", "registry-not-trusted"),
        ("write /tmp/x: no space left on device", "disk-full"),
        ("something new", "image-not-transferred"),
    ],
)
def test_cause_of_a_failure_is_named_and_its_last_words_kept(words, key):
    error = failure(["Getting image source signatures", FATAL.format("first"), FATAL.format(words)], OWN, "it cannot be pushed")
    assert (error.key, error.message) == (key, "it cannot be pushed")
    assert words in error.reason
    assert "level=" not in error.reason


def test_who_gave_a_name_without_registry_is_told_whose_it_is():
    assert "REGISTRY/app:1" in failure([FATAL.format("denied: no")], HUB, "it cannot be pushed").hint
    assert "docker login 127.0.0.1:5000" in failure([FATAL.format("denied: no")], OWN, "it cannot be pushed").hint
    assert failure([], OWN, "it cannot be pushed").reason == "skopeo did not say why"
