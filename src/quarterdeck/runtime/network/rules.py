"""The rules of one machine's networks as text of nftables: one table, made and replaced in one transaction. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from quarterdeck.machine.resolved import KeptPorts, OwnNetwork, PortForward, ResolvedNetwork

_LOOPBACK = "127.0.0.0/8"


def table_name(machine: str) -> str:
    """Return the name of the machine's table."""
    return f"quarterdeck_{machine}"


def removal(table: str) -> str:
    """Return the transaction that removes the table, whether it is there or not."""
    return f"add table inet {table}\ndelete table inet {table}\n"


def ruleset(table: str, cards: Sequence[ResolvedNetwork]) -> str:
    """Return the transaction that makes the table for those of ``cards`` that have a network of their own."""
    pairs = [(card, card.own) for card in cards if card.own is not None]
    chains = [
        _chain("from_guest", "filter hook prerouting priority raw", [line for pair in pairs for line in _from_guest(*pair)]),
        _chain("to_host", "filter hook input priority filter", [line for card, _ in pairs for line in _to_host(card)]),
        _chain("arriving", "nat hook prerouting priority dstnat", [*_guests_return(pairs), *_ways(pairs, local=False)]),
        _chain("local", "nat hook output priority -100", _ways(pairs, local=True)),
        _chain("through", "filter hook forward priority filter", [line for card, _ in pairs for line in _through(card)]),
        _chain("leaving", "nat hook postrouting priority srcnat", [line for pair in pairs for line in _leaving(*pair)]),
    ]
    return removal(table) + f"table inet {table} {{\n" + "\n".join(chains) + "}\n"


def _chain(name: str, hook: str, lines: Iterable[str]) -> str:
    body = "".join(f"\t\t{line}\n" for line in lines)
    return f"\tchain {name} {{\n\t\ttype {hook}; policy accept;\n{body}\t}}\n"


def _from_guest(card: ResolvedNetwork, own: OwnNetwork) -> list[str]:
    """The guest speaks for itself only, and never to what listens on our loopback addresses, which its device would let in."""
    lines = [
        f'iifname "{card.link}" ip daddr {_LOOPBACK} drop',
        f'iifname "{card.link}" ip saddr != {{ 0.0.0.0, {_network4(own)} }} drop',
    ]
    allowed = "::, fe80::/10" + (f", {_network6(own)}" if own.guest6 else "")
    return [*lines, f'iifname "{card.link}" ip6 saddr != {{ {allowed} }} drop']


def _to_host(card: ResolvedNetwork) -> list[str]:
    """We are the router: the guest does not tell us where packets go."""
    return [
        f'iifname "{card.link}" icmp type redirect drop',
        f'iifname "{card.link}" icmpv6 type {{ nd-router-advert, nd-redirect }} drop',
    ]


def _guests_return(pairs: Sequence[tuple[ResolvedNetwork, OwnNetwork]]) -> list[str]:
    return [f'iifname "{card.link}" return' for card, _ in pairs]


def _ways(pairs: Sequence[tuple[ResolvedNetwork, OwnNetwork]], *, local: bool) -> list[str]:
    """Return the rules that lead ports to guests: those that are named come before those of ``forward_all``."""
    named = [line for card, own in pairs for port in card.ports for line in _way(port, own, local=local)]
    return named + [line for card, own in pairs if card.forward_all for line in _all(card.keep, own)]


def _way(port: PortForward, own: OwnNetwork, *, local: bool) -> list[str]:
    guest = own.guest6 if ":" in port.address else own.guest4
    action = f"{port.protocol} dport {_span(port.host, port.count)} {_translate(port, guest)}"
    return [f"{match} {action}" for match in _matches(port.address, local=local)]


def _matches(address: str, *, local: bool) -> list[str]:
    """Return what a packet to ``address`` looks like; engines keep their own name server on other addresses of 127.0.0.0/8."""
    if address == "0.0.0.0":  # noqa: S104 - matched, never bound
        outside = f"ip daddr != {_LOOPBACK} fib daddr type local"
        return [outside, "ip daddr 127.0.0.1"] if local else [outside]
    if address == "::":
        return ["ip6 daddr != ::1 fib daddr type local"]
    if ":" in address:
        return [f"ip6 daddr {address}"]
    loopback = ipaddress.IPv4Address(address).is_loopback
    return [] if loopback and not local else [f"ip daddr {address}"]


def _all(keep: tuple[KeptPorts, ...], own: OwnNetwork) -> list[str]:
    lines = []
    for protocol in ("tcp", "udp"):
        wanted = _but(protocol, keep)
        lines.append(f"ip daddr != {_LOOPBACK} fib daddr type local {wanted} dnat ip to {own.guest4}")
        if own.guest6:
            lines.append(f"ip6 daddr != ::1 fib daddr type local {wanted} dnat ip6 to {own.guest6}")
    return lines


def _but(protocol: str, keep: tuple[KeptPorts, ...]) -> str:
    kept = _merged(kept for kept in keep if kept.protocol in {"", protocol})
    if not kept:
        return f"meta l4proto {protocol}"
    return f"{protocol} dport != {{ {', '.join(_span(first, last - first + 1) for first, last in kept)} }}"


def _merged(keep: Iterable[KeptPorts]) -> list[tuple[int, int]]:
    """Return the ranges without overlaps, which sets of nftables refuse."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((kept.first, kept.last) for kept in keep):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _translate(port: PortForward, guest: str) -> str:
    """Return the action; a range that moves needs a map, since nftables would take any port of a target range."""
    family, target = ("ip6", f"[{guest}]") if ":" in guest else ("ip", guest)
    if port.host == port.guest:
        return f"dnat {family} to {guest}"
    if port.count == 1:
        return f"dnat {family} to {target}:{port.guest}"
    pairs = ", ".join(f"{port.host + step} : {port.guest + step}" for step in range(port.count))
    return f"dnat {family} to {target}:{port.protocol} dport map {{ {pairs} }}"


def _through(card: ResolvedNetwork) -> list[str]:
    """Nobody reaches the guest but by a port that leads to it, or because it asked; segments fit what the way allows."""
    clamp = "tcp flags syn / syn,rst tcp option maxseg size set rt mtu"
    return [
        f'iifname "{card.link}" {clamp}',
        f'oifname "{card.link}" {clamp}',
        f'oifname "{card.link}" ct state established,related accept',
        f'oifname "{card.link}" ct status dnat accept',
        f'oifname "{card.link}" drop',
    ]


def _leaving(card: ResolvedNetwork, own: OwnNetwork) -> list[str]:
    lines = [
        f'ip saddr {_network4(own)} oifname != "{card.link}" masquerade',
        f'ip saddr {_LOOPBACK} oifname "{card.link}" masquerade',
    ]
    return [*lines, f'ip6 saddr {_network6(own)} oifname != "{card.link}" masquerade'] if own.guest6 else lines


def _network4(own: OwnNetwork) -> str:
    return str(ipaddress.IPv4Interface(f"{own.gateway4}/{own.prefix4}").network)


def _network6(own: OwnNetwork) -> str:
    return str(ipaddress.IPv6Interface(f"{own.gateway6}/{own.prefix6}").network)


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}-{first + count - 1}"
