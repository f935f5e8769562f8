import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.console.origin import HostPolicy, host_name, is_loopback, same_origin


@pytest.mark.parametrize(
    ("address", "host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1:8006", True),
        ("127.0.0.1", "localhost:9000", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "localhost.", True),
        ("127.0.0.1", "[::1]:8006", True),
        ("127.0.0.1", "desk.example:443", True),
        ("127.0.0.1", "evil.example:8006", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "192.0.2.7", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", None, False),
        ("127.0.0.1", "user@localhost", False),
        ("127.0.0.1", "localhost:port", False),
        ("127.0.0.1", "localhost; script-src *", False),
        ("192.0.2.7", "192.0.2.7:8006", True),
        ("192.0.2.7", "192.0.2.8:8006", False),
        ("2001:db8::1", "[2001:db8::1]:8006", True),
        ("[2001:db8::1]", "[2001:db8::1]:8006", True),
        ("0.0.0.0", "192.0.2.8:8006", True),
        ("0.0.0.0", "[2001:db8::2]", True),
        ("::", "192.0.2.8", True),
        ("0.0.0.0", "evil.example", False),
    ],
)
def test_hosts(address, host, allowed):
    assert HostPolicy(address, ("Desk.example.",)).allows(host) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:8006", "127.0.0.1:8006", True),
        ("http://LOCALHOST:8006", "localhost:8006", True),
        ("http://[::1]:8006", "[::1]:8006", True),
        ("https://desk.example", "desk.example", True),
        ("https://desk.example", "desk.example:443", True),
        ("http://desk.example", "desk.example", True),
        ("http://127.0.0.1:8007", "127.0.0.1:8006", False),
        ("http://localhost:8006", "127.0.0.1:8006", False),
        ("https://evil.example", "127.0.0.1:8006", False),
        ("null", "127.0.0.1:8006", False),
        ("", "127.0.0.1:8006", False),
        (None, "127.0.0.1:8006", False),
        ("http://127.0.0.1:8006", None, False),
        ("file://", "127.0.0.1:8006", False),
        ("ftp://127.0.0.1:8006", "127.0.0.1:8006", False),
        ("http://127.0.0.1:8006/path", "127.0.0.1:8006", False),
        ("http://user@127.0.0.1:8006", "127.0.0.1:8006", False),
        ("http://127.0.0.1:8006@evil.example", "127.0.0.1:8006", False),
        ("http://[::1", "127.0.0.1:8006", False),
        ("127.0.0.1:8006", "127.0.0.1:8006", False),
    ],
)
def test_origins(origin, host, same):
    assert same_origin(origin, host) is same


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_checks(origin, host):
    HostPolicy("127.0.0.1").allows(host)
    same_origin(origin, host)
    host_name(host)


def test_loopback():
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("desk.example")
