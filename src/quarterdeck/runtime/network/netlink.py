"""The few requests of rtnetlink(7) that networks of machines need.

Single devices are told here what /proc/sys, which engines mount read-only in containers, would tell them too. Numbers are those of the
kernel's include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h and ip.h.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

_NEWLINK, _DELLINK, _NEWADDR = 16, 17, 20
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_ERROR = 2
_IFF_UP, _IFF_ALLMULTI = 0x1, 0x200
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFA_F_NODAD = 0x02
_MACVTAP_BRIDGE = 4
_ADDR_GEN_NONE = 1
_NESTED = 0x8000
_HEADER = struct.Struct("=IHHII")


class _Link(IntEnum):
    ADDRESS = 1
    IFNAME = 3
    MTU = 4
    LINK = 5
    LINKINFO = 18
    AF_SPEC = 26


class Switch(IntEnum):
    """What an IPv4 device can be told, as below /proc/sys/net/ipv4/conf/DEVICE."""

    FORWARDING = 1
    ROUTE_LOCALNET = 26


@dataclass(frozen=True)
class Macvtap:
    """A macvtap device in bridge mode on top of device ``parent``; ``mtu`` 0 is the parent's."""

    name: str
    parent: str
    mac: str
    mtu: int = 0


def bring_up(name: str, *, mtu: int = 0, switches: Mapping[Switch, int] | None = None) -> None:
    """Switch the device on, with ``mtu`` (0: as it is) and ``switches``. Raises: OSError."""
    attributes = _attribute(_Link.MTU, struct.pack("=I", mtu)) if mtu else b""
    if switches:
        attributes += _ipv4(switches)
    _ask(_NEWLINK, 0, _device(socket.if_nametoindex(name), up=_IFF_UP) + attributes)


def tell(name: str, switches: Mapping[Switch, int]) -> None:
    """Set ``switches`` of the device. Raises: OSError."""
    _ask(_NEWLINK, 0, _device(socket.if_nametoindex(name)) + _ipv4(switches))


def add_address(name: str, address: str, prefix: int) -> None:
    """Give the device an address, usable at once: nobody else is there who could have it. Raises: OSError."""
    packed = ipaddress.ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    flags = _attribute(_IFA_FLAGS, struct.pack("=I", _IFA_F_NODAD)) if family == socket.AF_INET6 else b""
    message = struct.pack("=BBBBI", family, prefix, 0, 0, socket.if_nametoindex(name))
    _ask(_NEWADDR, _CREATE | _EXCL, message + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed) + flags)


def add_macvtap(wanted: Macvtap) -> None:
    """Make a macvtap device and switch it on.

    It hears all multicast, since nobody tells it what the guest listens to, and has no IPv6 address of its own: that would be the guest's.

    Raises:
        OSError: the kernel refuses.
    """
    info = _text(1, "macvtap") + _nested(2, _attribute(1, struct.pack("=I", _MACVTAP_BRIDGE)))
    quiet = _nested(socket.AF_INET6, _attribute(8, bytes([_ADDR_GEN_NONE])))
    attributes = (
        _text(_Link.IFNAME, wanted.name)
        + _attribute(_Link.LINK, struct.pack("=I", socket.if_nametoindex(wanted.parent)))
        + _attribute(_Link.ADDRESS, bytes.fromhex(wanted.mac.replace(":", "")))
        + (_attribute(_Link.MTU, struct.pack("=I", wanted.mtu)) if wanted.mtu else b"")
        + _nested(_Link.LINKINFO, info)
    )
    _ask(_NEWLINK, _CREATE | _EXCL, _device(0) + attributes)
    index = socket.if_nametoindex(wanted.name)
    _ask(_NEWLINK, 0, _device(index) + _nested(_Link.AF_SPEC, quiet))
    _ask(_NEWLINK, 0, _device(index, up=_IFF_UP | _IFF_ALLMULTI))


def remove(name: str) -> None:
    """Remove the device; nothing happens when there is none. Raises: OSError."""
    try:
        index = socket.if_nametoindex(name)
    except OSError:
        return
    _ask(_DELLINK, 0, _device(index))


def _device(index: int, *, up: int = 0) -> bytes:
    """Return an ifinfomsg that sets the flags ``up`` and leaves all others."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, up, up)


def _ipv4(switches: Mapping[Switch, int]) -> bytes:
    values = b"".join(_attribute(switch, struct.pack("=I", value)) for switch, value in switches.items())
    return _nested(_Link.AF_SPEC, _nested(socket.AF_INET, _nested(1, values)))


def _attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _ask(kind: int, flags: int, body: bytes) -> None:
    """Send one request and wait for the kernel's word on it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, 1, 0) + body)
        answer = kernel.recv(65536)
    _, answered, _, _, _ = _HEADER.unpack_from(answer)
    code = struct.unpack_from("=i", answer, _HEADER.size)[0]
    if answered == _ERROR and code:
        raise OSError(-code, os.strerror(-code))
