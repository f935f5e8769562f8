"""Which network devices may be made here, found out by trying where that leaves no trace."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from quarterdeck.host.facts import Verdict
from quarterdeck.host.files import below, exists, number, read_text

NET_BIND_SERVICE, NET_ADMIN = 10, 12
"""Bits of capabilities(7)."""
_TUN = "/dev/net/tun"
_VHOST = "/dev/vhost-net"
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_ADVICE = "start the container with --cap-add NET_ADMIN --device /dev/net/tun"
_USUAL_FIRST_PORT = 1024

Try = Callable[[int], None]
"""Makes a tap device of an open /dev/net/tun. Raises: OSError."""


def capable(root: Path, bit: int) -> bool:
    """Whether we have the capability with number ``bit`` in our own user namespace."""
    for line in read_text(root, "/proc/self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value.strip() or "0", 16) >> bit & 1)
    return False


def is_shared(root: Path) -> bool:
    """Whether this is the host's own network namespace.

    Source: ``net_core_table`` of the kernel's net/core/sysctl_net_core.c is registered in the first namespace only.
    """
    return exists(root, "/proc/sys/net/core/netdev_max_backlog") or not exists(root, "/proc/sys/net/core/somaxconn")


def try_tap(handle: int) -> None:
    """Make a tap device that is gone when ``handle`` is closed. Raises: OSError."""
    fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", b"qdprobe%d", _IFF_TAP | _IFF_NO_PI))


def tap(root: Path, container: str, attempt: Try | None) -> Verdict:
    """Return whether tap devices can be made; ``attempt`` makes one to prove it, None only looks."""
    hint = _ADVICE if container else "run this as root"
    if not capable(root, NET_ADMIN):
        return Verdict(False, "it lacks NET_ADMIN" if container else "only root may make tap devices", hint)
    try:
        handle = os.open(below(root, _TUN), os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return Verdict(False, _tun_reason(error), _ADVICE if container else "modprobe tun")
    try:
        if attempt is not None:
            attempt(handle)
    except OSError as error:
        return Verdict(False, f"the kernel makes no tap device: {error.strerror}", "use a network namespace of its own")
    finally:
        os.close(handle)
    return Verdict(True, f"NET_ADMIN and {_TUN} are there")


def _tun_reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"there is no {_TUN}"
    return f"{_TUN} cannot be opened: {error.strerror}"


def macvtap(root: Path, container: str) -> Verdict:
    """Return whether macvtap devices may be made; whether they can be opened is found out when one is there."""
    if capable(root, NET_ADMIN):
        return Verdict(True, "NET_ADMIN is there")
    hint = "start the container with --cap-add NET_ADMIN --device-cgroup-rule 'c *:* rwm'" if container else "run this as root"
    return Verdict(False, "it lacks NET_ADMIN" if container else "only root may make macvtap devices", hint)


def forwarding4(root: Path, container: str, *, shared: bool) -> Verdict:
    """Return whether IPv4 packets are passed on, or that can be switched on for single devices of a namespace that is not the host's."""
    if read_text(root, "/proc/sys/net/ipv4/ip_forward") == "1":
        return Verdict(True, "net.ipv4.ip_forward is 1")
    if not shared:
        return Verdict(True, "it is switched on for the devices that need it")
    hint = "start the container with --sysctl net.ipv4.ip_forward=1" if container else "sysctl -w net.ipv4.ip_forward=1"
    return Verdict(False, "this host passes no packets on: net.ipv4.ip_forward is 0", hint)


def forwarding6(root: Path, container: str, *, shared: bool) -> Verdict:
    """Return whether IPv6 packets are passed on, or that can be switched on; the kernel has one switch for a whole namespace."""
    path = "/proc/sys/net/ipv6/conf/all/forwarding"
    if read_text(root, path) == "1":
        return Verdict(True, "net.ipv6.conf.all.forwarding is 1")
    if not shared and _writable(root, path):
        return Verdict(True, "it can be switched on in this namespace")
    hint = "start the container with --sysctl net.ipv6.conf.all.forwarding=1" if container else "sysctl -w net.ipv6.conf.all.forwarding=1"
    return Verdict(False, "net.ipv6.conf.all.forwarding is 0", hint)


def _writable(root: Path, path: str) -> bool:
    try:
        os.close(os.open(below(root, path), os.O_WRONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def vhost(root: Path) -> bool:
    """Whether the kernel itself can carry packets between tap devices and guests."""
    try:
        os.close(os.open(below(root, _VHOST), os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def lowest_port(root: Path, *, other_user: bool) -> int:
    """Return the lowest port that QEMU may listen on, as another user than we are or as the same. Source: ip(7)."""
    if not other_user and capable(root, NET_BIND_SERVICE):
        return 0
    first = number(read_text(root, "/proc/sys/net/ipv4/ip_unprivileged_port_start"))
    return _USUAL_FIRST_PORT if first is None else first
