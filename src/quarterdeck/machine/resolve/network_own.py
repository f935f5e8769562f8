"""Decides the addresses of networks that we make: free private ones, the same at each start while they stay free."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterator

from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import OwnNetwork
from quarterdeck.machine.spec import NetworkSpec

_POOLS = ("172.30.0.0/15", "192.168.128.0/17", "10.192.0.0/12")
"""Ranges of RFC 1918 that container engines and home routers use least. Docker's own pools begin at 172.17.0.0/16 and 192.168.0.0/20."""
_PREFIX = 24


def link_prefix(uuid: str) -> str:
    """Return what the names of all devices begin with that we make for the machine; the number of the card follows."""
    return f"qd{hashlib.sha256(uuid.encode()).hexdigest()[:8]}-"


def own_network(ctx: Context, index: int, card: NetworkSpec, *, taken: Collection[str]) -> OwnNetwork:
    """Return the network of card number ``index``; ``taken`` are IPv4 networks that other cards of the machine have.

    Raises:
        HostError: every private network is routed somewhere already.
        UsageError: the address that the spec names is.
    """
    elsewhere = [network for network, device in ctx.facts.network.routes if not device.startswith(link_prefix(ctx.uuid))]
    routed = tuple(ipaddress.IPv4Network(text) for text in (*elsewhere, *taken))
    if card.address is not None:
        guest4 = ipaddress.IPv4Interface(card.address)
        _check_free(guest4.network, routed, index)
        gateway4 = next(host for host in guest4.network.hosts() if host != guest4.ip)
    else:
        network = next((item for item in _candidates(ctx.uuid, index) if not _routed(item, routed)), None)
        if network is None:
            raise HostError("no-free-network", "no private IPv4 network is free", hint=f"name one in networks[{index}].address")
        gateway4, guest4 = network[1], ipaddress.IPv4Interface(f"{network[2]}/{_PREFIX}")
    prefix = _ula(ctx.uuid, index) if ctx.facts.network.ipv6 and ctx.facts.network.forwarding6.works else None
    return OwnNetwork(
        gateway4=str(gateway4),
        guest4=str(guest4.ip),
        prefix4=guest4.network.prefixlen,
        gateway6="" if prefix is None else str(prefix[1]),
        guest6="" if prefix is None else str(prefix[2]),
    )


def _candidates(uuid: str, index: int) -> Iterator[ipaddress.IPv4Network]:
    """Yield networks in an order that depends on the machine only, so that it finds its own again."""
    for pool in _POOLS:
        whole = ipaddress.IPv4Network(pool)
        count = 1 << (_PREFIX - whole.prefixlen)
        start = int.from_bytes(hashlib.sha256(f"{uuid}/{index}/4".encode()).digest()[:4])
        for step in range(count):
            first = int(whole.network_address) + ((start + step) % count << (32 - _PREFIX))
            yield ipaddress.IPv4Network((first, _PREFIX))


def _routed(network: ipaddress.IPv4Network, routed: tuple[ipaddress.IPv4Network, ...]) -> bool:
    return any(network.overlaps(other) for other in routed)


def _check_free(network: ipaddress.IPv4Network, routed: tuple[ipaddress.IPv4Network, ...], index: int) -> None:
    other = next((item for item in routed if network.overlaps(item)), None)
    if other is not None:
        raise UsageError(
            "network-taken",
            f"networks[{index}]: {network} is not free",
            reason=f"{other} is routed here already",
            hint="leave 'address' out, and a free network is found",
        )


def _ula(uuid: str, index: int) -> ipaddress.IPv6Network:
    """Return a /64 of RFC 4193 whose 40 bits of chance come from the machine, so that they stay the same."""
    chance = int.from_bytes(hashlib.sha256(f"{uuid}/6".encode()).digest()[:5])
    return ipaddress.IPv6Network(((0xFD << 120) | (chance << 80) | (index << 64), 64))
