import pytest
from yarl import URL

from quarterdeck.errors import MediaError, UsageError
from quarterdeck.media.fetch.address import check_encrypted, follow, is_loopback, parse_url, shown


@pytest.mark.parametrize("text", ["", "x.img", "file:///etc/passwd", "ftp://example.org/x", "https://", "http://[::1/x", "javascript:1"])
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(text)
    assert caught.value.key == "invalid-url"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/x",
        "https://0.0.0.0/x",
        "http://[bad",
    ],
)
def test_redirects_to_files_and_to_private_addresses_are_refused(location: str) -> None:
    with pytest.raises(MediaError) as caught:
        follow(URL("https://example.org/a"), location, plain=True)
    assert caught.value.key == "redirect-refused"


def test_redirects_go_to_other_hosts_and_relative_places() -> None:
    start = URL("https://example.org/a/b?x=1")
    assert str(follow(start, "c", plain=False)) == "https://example.org/a/c"
    assert str(follow(start, "//mirror.example/x#part", plain=False)) == "https://mirror.example/x"
    assert str(follow(start, "https://93.184.216.34/x", plain=False)) == "https://93.184.216.34/x"
    assert str(follow(URL("http://127.0.0.1:1/a"), "http://127.0.0.1:2/b", plain=False)) == "http://127.0.0.1:2/b"
    assert str(follow(URL("https://10.0.0.1/a"), "https://10.0.0.2/b", plain=False)) == "https://10.0.0.2/b"


def test_a_redirect_away_from_https_is_followed_only_for_what_is_verified_otherwise() -> None:
    with pytest.raises(MediaError):
        follow(URL("https://example.org/a"), "http://example.org/a", plain=False)
    assert follow(URL("https://example.org/a"), "http://example.org/a", plain=True).scheme == "http"


def test_only_this_host_may_do_without_encryption() -> None:
    check_encrypted(URL("http://localhost:80/x"))
    check_encrypted(URL("https://example.org/x"))
    with pytest.raises(MediaError):
        check_encrypted(URL("http://example.org/x"))
    assert is_loopback(URL("http://127.1.2.3/"))
    assert not is_loopback(URL("http://localhost.example.org/"))


def test_passwords_are_not_shown() -> None:
    assert shown("https://me:secret@example.org/x?y=1") == "https://example.org/x?y=1"
