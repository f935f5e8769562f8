"""Port forwards as people write them: ``[ADDRESS:]HOST:GUEST[/udp]``."""

from __future__ import annotations

import ipaddress
import re

from quarterdeck.errors import UsageError
from quarterdeck.machine.resolved import PortForward

LOOPBACK = "127.0.0.1"
MAX_RANGE = 1000
_HINT = "write [ADDRESS:]HOST:GUEST[/udp], such as 8080:80, 0.0.0.0:2222:22 or 8000-8010:8000-8010/udp"
_FORWARD = re.compile(
    r"(?:(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<v4>[^:\[\]/\s]+)):)?(?P<host>\d{1,5}(?:-\d{1,5})?):(?P<guest>\d{1,5}(?:-\d{1,5})?)(?:/(?P<protocol>tcp|udp))?",
    re.ASCII,
)


def parse_port(text: str) -> PortForward:
    """Return the forward that ``text`` names; the address is 127.0.0.1 and the protocol TCP unless given.

    Raises:
        UsageError: it is not a forward; the message says what is wrong with it.
    """
    match = _FORWARD.fullmatch(text.strip())
    if match is None:
        raise _invalid(f"'{text}' is not a port forward")
    host, count = _range(match["host"])
    guest, guest_count = _range(match["guest"])
    if count != guest_count:
        raise _invalid(f"'{text}' leads {count} ports of the host to {guest_count} of the guest")
    return PortForward(_address(match["v6"] or match["v4"] or LOOPBACK), host, guest, match["protocol"] or "tcp", count)


def format_port(forward: PortForward) -> str:
    """Return ``forward`` in the form that :func:`parse_port` reads."""
    address = f"[{forward.address}]" if ":" in forward.address else forward.address
    protocol = "" if forward.protocol == "tcp" else f"/{forward.protocol}"
    return f"{address}:{_span(forward.host, forward.count)}:{_span(forward.guest, forward.count)}{protocol}"


def overlaps(one: PortForward, other: PortForward) -> bool:
    """Whether the two take the same port of the host; the addresses 0.0.0.0 and :: take it on all."""
    everywhere = {"0.0.0.0", "::"}  # noqa: S104 - compared with, never bound
    same_address = one.address == other.address or bool({one.address, other.address} & everywhere)
    apart = one.host + one.count <= other.host or other.host + other.count <= one.host
    return same_address and one.protocol == other.protocol and not apart


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}-{first + count - 1}"


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    start, end = int(first), int(last or first)
    if not 1 <= start <= end <= 65535:
        raise _invalid(f"'{text}' is not a range of ports between 1 and 65535")
    if end - start >= MAX_RANGE:
        raise _invalid(f"'{text}' holds more than {MAX_RANGE} ports")
    return start, end - start + 1


def _address(text: str) -> str:
    if text == "localhost":
        return LOOPBACK
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise _invalid(f"'{text}' is not an IP address") from None


def _invalid(message: str) -> UsageError:
    return UsageError("invalid-port", message, hint=_HINT)
