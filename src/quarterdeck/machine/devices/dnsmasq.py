"""dnsmasq: DHCP, DNS and router advertisements for a network that we make."""

from __future__ import annotations

from quarterdeck.machine.resolved import OwnNetwork, ResolvedMachine, ResolvedNetwork, Sidecar

_LEASE = "12h"


def dnsmasq(machine: ResolvedMachine, card: ResolvedNetwork, own: OwnNetwork) -> Sidecar:
    """Return the helper of one card: its lease is the only one, names are asked where /etc/resolv.conf says.

    It is started as root for the ports 53 and 67, and becomes nobody where there are other users than root; it has no files of its own
    but that of its pid, which lies where QEMU's user cannot write. Source: the manual page of dnsmasq 2.89 (Debian 12) and later.
    """
    pid_file = str(machine.layout.root / f"dnsmasq-{card.id}.pid")
    user, group = ("root", "root") if machine.identity is None else ("nobody", "nogroup")
    words = [
        dict(machine.tools)["dnsmasq"],
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--log-facility=-",
        "--log-dhcp",
        f"--pid-file={pid_file}",
        f"--user={user}",
        f"--group={group}",
        f"--interface={card.link}",
        "--except-interface=lo",
        "--bind-interfaces",
        "--leasefile-ro",
        "--no-ping",
        "--dhcp-authoritative",
        f"--dhcp-range={own.guest4},{own.guest4},{_netmask(own)},{_LEASE}",
        f"--dhcp-host={_host(card, own)}",
        f"--host-record=host.lan,{','.join(filter(None, (own.gateway4, own.gateway6)))}",
        *_ipv6(card, own),
        *_mtu(card),
    ]
    return Sidecar(f"dnsmasq-{card.id}", tuple(words), pid_file, privileged=True)


def _netmask(own: OwnNetwork) -> str:
    bits = (0xFFFFFFFF << (32 - own.prefix4)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 0xFF) for shift in (24, 16, 8, 0))


def _host(card: ResolvedNetwork, own: OwnNetwork) -> str:
    return ",".join(filter(None, (card.mac, own.guest4, own.guest6 and f"[{own.guest6}]", _LEASE)))


def _ipv6(card: ResolvedNetwork, own: OwnNetwork) -> list[str]:
    """Offer the one address by DHCPv6, and any of the prefix to guests that know SLAAC only."""
    if not own.guest6:
        return []
    mtu = "" if card.mtu is None else f"mtu:{card.mtu},"
    return ["--enable-ra", f"--ra-param={card.link},{mtu}60,1800", f"--dhcp-range={own.guest6},{own.guest6},slaac,{own.prefix6},{_LEASE}"]


def _mtu(card: ResolvedNetwork) -> list[str]:
    return [] if card.mtu is None else [f"--dhcp-option=option:mtu,{card.mtu}"]
