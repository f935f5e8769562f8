"""Where packets go from here: the tables of /proc/net, which show the network namespace of the reader."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

from quarterdeck.host.files import read_text

_SIOCGIFMTU = 0x8921
_ROUTE_UP = 0x1
_IPV6_REJECTS = 0x200
_GLOBAL_SCOPE = "00"


def routes4(root: Path) -> tuple[tuple[str, str], ...]:
    """Return the IPv4 networks that are routed, but the default ones, each with its device.

    Source: the kernel's net/ipv4/fib_trie.c; addresses are hexadecimal words in the byte order of the host.
    """
    return tuple((f"{_word(target)}/{_word(mask)}", device) for device, target, mask, _ in _table4(root) if int(mask, 16))


def uplink(root: Path) -> str:
    """Return the device of the IPv4 default route with the lowest metric, else that of IPv6, else nothing."""
    defaults = sorted((metric, device) for device, _, mask, metric in _table4(root) if not int(mask, 16))
    return defaults[0][1] if defaults else next(iter(_defaults6(root)), "")


def has_ipv6(root: Path) -> bool:
    """Whether there is an IPv6 default route by a device with a global address. Source: net/ipv6/route.c and addrconf.c."""
    lines = (line.split() for line in read_text(root, "/proc/net/if_inet6").splitlines())
    addressed = {fields[5] for fields in lines if len(fields) == 6 and fields[3] == _GLOBAL_SCOPE}
    return any(device in addressed for device in _defaults6(root))


def mtu(device: str) -> int:
    """Return the MTU of ``device`` in bytes, 0 when there is no such device. Source: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
        try:
            answer = fcntl.ioctl(asking, _SIOCGIFMTU, struct.pack("16si20x", device.encode(), 0))
        except OSError:
            return 0
    return int(struct.unpack("16si20x", answer)[1])


def _table4(root: Path) -> list[tuple[str, str, str, int]]:
    """Return device, target, mask and metric of each route that is up."""
    rows = (line.split() for line in read_text(root, "/proc/net/route").splitlines()[1:])
    return [(row[0], row[1], row[7], int(row[6])) for row in rows if len(row) >= 8 and int(row[3], 16) & _ROUTE_UP]


def _word(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(struct.pack("=I", int(text, 16)))


def _defaults6(root: Path) -> list[str]:
    """Return the devices of usable default routes, best first."""
    rows = [line.split() for line in read_text(root, "/proc/net/ipv6_route").splitlines()]
    usable = [row for row in rows if len(row) == 10 and row[1] == "00" and not int(row[0], 16) and not int(row[8], 16) & _IPV6_REJECTS]
    return [row[9] for row in sorted(usable, key=lambda row: int(row[5], 16)) if row[9] != "lo"]
