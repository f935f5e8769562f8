"""Lets packets pass between the guest and the world, and takes that back; only in a network namespace that is not the host's."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from quarterdeck.runtime.network import netlink
from quarterdeck.runtime.network.netlink import Switch

IPV4 = "/proc/sys/net/ipv4/ip_forward"
IPV6 = "/proc/sys/net/ipv6/conf/all/forwarding"
_DEVICE = "/proc/sys/net/ipv4/conf/{}/forwarding"


def switched_off(*, ipv6: bool) -> tuple[str, ...]:
    """Return the files of /proc/sys that say no now and must say yes."""
    return tuple(path for path in (IPV4, *([IPV6] if ipv6 else [])) if _read(path) == "0")


def switch_on(paths: Iterable[str]) -> None:
    """Say yes in ``paths``. Where /proc/sys cannot be written, IPv4 devices are told one by one. Raises: OSError."""
    for path in paths:
        try:
            Path(path).write_text("1", encoding="ascii")
        except OSError:
            if path != IPV4:
                raise
            _tell_devices(1)


def switch_off(paths: Iterable[str]) -> None:
    """Undo :func:`switch_on`; what cannot be undone stays."""
    for path in paths:
        try:
            Path(path).write_text("0", encoding="ascii")
        except OSError:
            if path == IPV4:
                with suppress(OSError):
                    _tell_devices(0)


def _tell_devices(value: int) -> None:
    for _, name in socket.if_nameindex():
        if name != "lo" and _read(_DEVICE.format(name)) != str(value):
            netlink.tell(name, {Switch.FORWARDING: value})


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
