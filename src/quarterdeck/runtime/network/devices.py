"""Makes the device of a card and opens it, so that QEMU needs no right to do so."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

from quarterdeck.errors import HostError
from quarterdeck.machine.resolved import OwnNetwork, ResolvedNetwork
from quarterdeck.runtime.network import netlink
from quarterdeck.runtime.network.netlink import Macvtap, Switch

_TUN = "/dev/net/tun"
_VHOST = "/dev/vhost-net"
_TUNSETIFF = 0x400454CA
_TAP, _NO_PI, _VNET_HDR, _EXCLUSIVE = 0x0002, 0x1000, 0x4000, 0x8000
_CLASS = Path("/sys/class/net")


def open_device(card: ResolvedNetwork) -> int:
    """Make the tap or macvtap device of ``card`` and return it open; a tap device is gone when the last descriptor of it is closed.

    Raises:
        HostError: the kernel refuses, or the device may not be opened; the hint says what to do.
    """
    try:
        return _open_macvtap(card) if card.own is None else _open_tap(card, card.own)
    except OSError as error:
        where = f" on {card.interface}" if card.interface else ""
        raise HostError(
            "network-failed", f"the device {card.link}{where} cannot be made", reason=error.strerror or str(error), hint=_hint(card, error)
        ) from error


def open_vhost(card: ResolvedNetwork) -> int:
    """Return /dev/vhost-net, open for one card. Raises: HostError."""
    try:
        return os.open(_VHOST, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise HostError("network-failed", f"{_VHOST} cannot be opened for {card.id}", reason=error.strerror or "") from error


def _hint(card: ResolvedNetwork, error: OSError) -> str:
    if error.errno in {errno.ENODEV, errno.ENXIO} and card.interface:
        return f"'ip link' shows the devices of this host; {card.interface} must be one of them"
    if error.errno == errno.EBUSY:
        return f"{card.link or card.interface} is in use: 'ip -d link' shows by what"
    return "'qd explain' says what this host allows; the mode 'user' needs nothing"


def _open_tap(card: ResolvedNetwork, own: OwnNetwork) -> int:
    handle = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    try:
        flags = _TAP | _NO_PI | _VNET_HDR | _EXCLUSIVE
        fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", card.link.encode(), flags))
        # What comes from 127.0.0.1 must be able to leave by this device: ports lead to the guest from the host itself too.
        netlink.bring_up(card.link, mtu=card.mtu or 0, switches={Switch.FORWARDING: 1, Switch.ROUTE_LOCALNET: 1})
        netlink.add_address(card.link, own.gateway4, own.prefix4)
        if own.gateway6:
            netlink.add_address(card.link, own.gateway6, own.prefix6)
    except OSError:
        os.close(handle)
        raise
    return handle


def _open_macvtap(card: ResolvedNetwork) -> int:
    netlink.remove(card.link)
    netlink.add_macvtap(Macvtap(card.link, card.interface, card.mac, card.mtu or 0))
    return _open_node(card.link)


def _open_node(link: str) -> int:
    """Open the character device of a macvtap device; in a container nobody made its node. Source: drivers/net/macvtap.c."""
    name = next((entry.name for entry in (_CLASS / link).glob("tap*")), "")
    if not name:
        raise HostError(
            "network-failed", f"the device of {link} is not shown in {_CLASS}", hint="mount a sysfs of this network namespace at /sys"
        )
    major, minor = (int(part) for part in (_CLASS / link / name / "dev").read_text(encoding="ascii").split(":"))
    number = os.makedev(major, minor)
    with suppress(FileNotFoundError):
        status = os.stat(f"/dev/{name}")
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == number:
            return _open_character(f"/dev/{name}")
    return _open_made(f"/dev/quarterdeck-{link}", number)


def _open_made(path: str, number: int) -> int:
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.mknod(path, 0o600 | stat.S_IFCHR, number)
    except OSError as error:
        raise _closed(path, error) from error
    try:
        return _open_character(path)
    finally:
        os.unlink(path)


def _open_character(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise _closed(path, error) from error


def _closed(path: str, error: OSError) -> HostError:
    return HostError(
        "network-failed",
        f"{path} cannot be opened",
        reason=error.strerror or "",
        hint="start the container with --device-cgroup-rule 'c *:* rwm' --cap-add MKNOD",
    )
