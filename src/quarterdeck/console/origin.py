"""Which Host and Origin headers a request may carry.

A page of another site can make the browser send requests to the viewer port, either under the port's own name
(cross-site request, seen by Origin) or under a name that its owner points at 127.0.0.1 for the moment (DNS
rebinding, seen by Host). Sources: RFC 9110 section 7.2, RFC 6454, the WHATWG Fetch standard (Origin).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host_name(authority: str) -> str | None:
    """Return the name or address in ``HOST[:PORT]``, in lower case and without brackets, or None when it is malformed."""
    parts = _split(f"//{authority}")
    return parts[0] if parts is not None else None


class HostPolicy:
    """The names under which one listening address may be reached.

    Args:
        address: what was listened on, an IP address or a name.
        names: further names, as a user gave them (a reverse proxy's, a container host's).
    """

    def __init__(self, address: str, names: Collection[str] = ()) -> None:
        self._names = _LOCAL | {address.lower().strip("[]")} | {name.lower().strip("[]").removesuffix(".") for name in names}
        self._any_address = is_wildcard(address)

    def allows(self, authority: str | None) -> bool:
        """Whether the Host header ``authority`` is one of ours.

        The port is not compared: a forwarded port has another number. When every address is listened on, every IP
        address is accepted, since rebinding needs a name.
        """
        name = host_name(authority) if authority else None
        if name is None:
            return False
        return name.removesuffix(".") in self._names or (self._any_address and _is_address(name))


def same_origin(origin: str | None, authority: str | None) -> bool:
    """Whether the Origin header names the very host and port that the Host header ``authority`` names.

    The scheme may be either: behind a proxy that ends TLS the page is https and we are not.
    """
    parts = urlsplit(origin) if origin and _split(origin) else None
    if parts is None or authority is None or parts.scheme not in _DEFAULT_PORTS:
        return False
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return False
    ours, theirs = _split(f"//{authority}"), _split(origin or "")
    if ours is None or theirs is None:
        return False
    default = _DEFAULT_PORTS[parts.scheme]
    return (ours[0], ours[1] or default) == (theirs[0], theirs[1] or default)


def is_wildcard(address: str) -> bool:
    """Whether ``address`` means every address of the host."""
    return _is_address(address) and ipaddress.ip_address(address).is_unspecified


def is_loopback(address: str) -> bool:
    """Whether only this host can reach ``address`` (an IP address)."""
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def _split(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or "@" in parts.netloc or any(character in name for character in " \t\"';,<>\\"):
        return None
    return name, port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
