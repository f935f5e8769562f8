"""Ports as people write them: forwards ``[ADDRESS:]HOST:GUEST[/udp]``, and ports that are kept, ``PORT[-LAST][/udp]``."""

from __future__ import annotations

import ipaddress
import re

from quarterdeck.errors import UsageError
from quarterdeck.machine.resolved import KeptPorts, PortForward

LOOPBACK = "127.0.0.1"
MAX_RANGE = 1000
_HINT = "write [ADDRESS:]HOST:GUEST[/udp], such as 8080:80, 0.0.0.0:2222:22 or 8000-8010:8000-8010/udp"
_FORWARD = re.compile(
    r"(?:(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<v4>[^:\[\]/\s]+)):)?(?P<host>\d{1,5}(?:-\d{1,5})?):(?P<guest>\d{1,5}(?:-\d{1,5})?)(?:/(?P<protocol>tcp|udp))?",
    re.ASCII,
)

_KEPT = re.compile(r"(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?:/(?P<protocol>tcp|udp))?", re.ASCII)
_LAST_PORT = 65535


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


def parse_keep(text: str) -> KeptPorts:
    """Return the ports that ``text`` keeps: ``PORT`` or ``FIRST-LAST``, with ``/tcp`` or ``/udp`` for one protocol.

    Raises:
        UsageError: it is no such thing; the message says what is wrong with it.
    """
    match = _KEPT.fullmatch(text.strip())
    if match is None:
        raise UsageError("invalid-port", f"'{text}' names no ports", hint="write PORT or FIRST-LAST, such as 8006, 5900-5910 or 53/udp")
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if not 1 <= first <= last <= _LAST_PORT:
        raise UsageError("invalid-port", f"'{text}' is not a range of ports between 1 and {_LAST_PORT}", hint="write the smaller one first")
    return KeptPorts(first, last - first + 1, match["protocol"] or "")


def is_kept(forward: PortForward, keep: tuple[KeptPorts, ...]) -> bool:
    """Whether ``forward`` begins at a port that is kept."""
    last = forward.host + forward.count - 1
    return any(kept.protocol in {"", forward.protocol} and kept.first <= last and forward.host <= kept.last for kept in keep)


def format_keep(kept: KeptPorts) -> str:
    """Return ``kept`` in the form that :func:`parse_keep` reads."""
    return _span(kept.first, kept.count) + (f"/{kept.protocol}" if kept.protocol else "")


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}-{first + count - 1}"


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    start, end = int(first), int(last or first)
    if not 1 <= start <= end <= _LAST_PORT:
        raise _invalid(f"'{text}' is not a range of ports between 1 and {_LAST_PORT}")
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
