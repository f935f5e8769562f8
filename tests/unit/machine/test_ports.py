"""Port forwards as text."""

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.machine.ports import format_port, overlaps, parse_port
from quarterdeck.machine.resolved import PortForward


@pytest.mark.parametrize(
    ("text", "forward"),
    [
        ("8080:80", PortForward("127.0.0.1", 8080, 80)),
        ("8080:80/tcp", PortForward("127.0.0.1", 8080, 80)),
        ("53:53/udp", PortForward("127.0.0.1", 53, 53, "udp")),
        ("0.0.0.0:8080:80", PortForward("0.0.0.0", 8080, 80)),
        ("localhost:8080:80", PortForward("127.0.0.1", 8080, 80)),
        ("[::1]:8080:80", PortForward("::1", 8080, 80)),
        ("[0:0::1]:8080:80", PortForward("::1", 8080, 80)),
        ("8000-8010:9000-9010", PortForward("127.0.0.1", 8000, 9000, "tcp", 11)),
        ("1.2.3.4:8000-8001:9000-9001/udp", PortForward("1.2.3.4", 8000, 9000, "udp", 2)),
    ],
)
def test_a_forward_is_read(text: str, forward: PortForward) -> None:
    assert parse_port(text) == forward
    assert parse_port(format_port(forward)) == forward


@pytest.mark.parametrize(
    "text",
    [
        *("", "80", "80:", ":80", "a:b", "0:80", "80:0", "65536:1", "1:65536", "5-3:5-3", "1-2:1-3", "1-2000:1-2000", "1:1/sctp"),
        *("::1:80:80", "[::1:80:80", "[zz]:1:1", "name:1:1", "256.0.0.1:1:1", "1:2:3:4", "-1:1", "1:1:", "٣:1", "1.2.3:1:1"),
    ],
)
def test_what_is_no_forward_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_port(text)
    assert "write [ADDRESS:]HOST:GUEST" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("80:1", "80:2", True),
        ("80:1", "81:1", False),
        ("80-90:1-11", "85:1", True),
        ("80:1", "80:1/udp", False),
        ("1.1.1.1:80:1", "80:1", False),
        ("0.0.0.0:80:1", "80:1", True),
        ("[::]:80:1", "80:1", True),
    ],
)
def test_overlaps(one: str, other: str, same: bool) -> None:
    assert overlaps(parse_port(one), parse_port(other)) is same
    assert overlaps(parse_port(other), parse_port(one)) is same
