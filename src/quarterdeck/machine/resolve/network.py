"""Decides network cards."""

from __future__ import annotations

import hashlib
import ipaddress

from quarterdeck.errors import UsageError
from quarterdeck.machine.ports import parse_keep, parse_port
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolve.network_mode import choose_mode
from quarterdeck.machine.resolve.network_own import link_prefix, own_network
from quarterdeck.machine.resolve.network_ports import explain_ports, kept_ports
from quarterdeck.machine.resolved import OwnNetwork, ResolvedNetwork
from quarterdeck.machine.spec import NetworkMode, NetworkSpec

_USER_FORWARDS = 1024
_ETHERNET_MTU = 1500
_LARGEST_MTU = 9000
"""Devices of user-mode networks offer up to 65520; segmentation offload makes more than this useless."""


def networks(ctx: Context) -> tuple[ResolvedNetwork, ...]:
    """Return every network card; the mode ``none`` makes no card.

    Raises:
        HostError: a helper or a right is missing; the hint says how to get it.
        UsageError: this machine cannot have the card.
    """
    cards: list[ResolvedNetwork] = []
    for index, card in enumerate(ctx.spec.networks):
        if card.mode is not NetworkMode.NONE:
            taken = [_network_of(made.own) for made in cards if made.own is not None]
            cards.append(_network(ctx, index, card, taken=taken))
    if not cards:
        ctx.note("network", "none", "the spec asks for no card")
    if any(card.mode is NetworkMode.BRIDGE for card in cards):
        ctx.note(
            "sandbox",
            "may start programs",
            "qemu-bridge-helper is set-uid root and plugs the card into the bridge; other modes need no such right",
        )
    return tuple(cards)


def _network_of(own: OwnNetwork) -> str:
    return str(ipaddress.IPv4Interface(f"{own.guest4}/{own.prefix4}").network)


def _network(ctx: Context, index: int, card: NetworkSpec, *, taken: list[str]) -> ResolvedNetwork:
    mode, why = choose_mode(ctx, card)
    ports = tuple(parse_port(text) for text in card.ports)
    if mode is NetworkMode.USER and sum(port.count for port in ports) > _USER_FORWARDS:
        raise UsageError("too-many-ports", f"networks[{index}] forwards more than {_USER_FORWARDS} ports", hint="use the mode 'passt'")
    device = _device(ctx, index, card)
    ours = mode is NetworkMode.MACVTAP or (mode is NetworkMode.TAP and card.interface is None)
    own = own_network(ctx, index, card, taken=taken) if mode is NetworkMode.TAP and ours else None
    all_ports = card.forward_all and own is not None
    resolved = ResolvedNetwork(
        id=f"net{index}",
        mode=mode,
        device=device,
        mac=card.mac or _mac(ctx.uuid, index),
        ports=ports,
        interface=card.interface or (ctx.facts.network.uplink if mode is NetworkMode.MACVTAP else ""),
        mtu=card.mtu or (_uplink_mtu(ctx) if ours and device == ctx.virtio("virtio-net") else None),
        link=f"{link_prefix(ctx.uuid)}{index}" if ours else "",
        vhost=ours and ctx.facts.network.vhost,
        own=own,
        forward_all=all_ports,
        keep=kept_ports(ctx, tuple(parse_keep(text) for text in card.keep)) if all_ports else (),
    )
    ctx.note(f"network{index}", f"{mode}, {device}", why)
    _explain_addresses(ctx, resolved, card)
    explain_ports(ctx, resolved, card)
    return resolved


def _explain_addresses(ctx: Context, card: ResolvedNetwork, wanted: NetworkSpec) -> None:
    if wanted.address is not None and card.own is None:
        ctx.note("address", "ignored", f"the mode '{card.mode}' gives the guest its address")
    if card.mode is NetworkMode.MACVTAP:
        ctx.note(
            "address",
            "from the network's own DHCP",
            f"{card.link} stands on {card.interface}; this host itself cannot reach the guest over it",
        )
    if card.own is None:
        return
    chosen = (
        "the spec names it" if wanted.address else "a private network that nothing else here uses; outgoing traffic has this host's address"
    )
    ctx.note("address", f"{card.own.guest4}/{card.own.prefix4}", chosen)
    facts = ctx.facts.network
    if card.own.guest6:
        ctx.note("IPv6", f"{card.own.guest6}/{card.own.prefix6}", "a private prefix; outgoing traffic has this host's address")
    elif facts.ipv6:
        ctx.note("IPv6", "none", f"{facts.forwarding6.reason}; {facts.forwarding6.hint}")
    else:
        ctx.note("IPv6", "none", "this host has no IPv6 address that leads out")


def _uplink_mtu(ctx: Context) -> int | None:
    mtu = min(ctx.facts.network.mtu, _LARGEST_MTU)
    return None if mtu in {0, _ETHERNET_MTU} else mtu


def _device(ctx: Context, index: int, card: NetworkSpec) -> str:
    virtio = ctx.virtio("virtio-net")
    device = virtio if card.model in {None, "virtio", "virtio-net"} else card.model
    assert device is not None
    if not ctx.board.disks:
        raise UsageError("no-network-bus", f"machine type '{ctx.machine_type}' takes no network cards", hint="set networks: []")
    if not ctx.has(device):
        raise UsageError("no-such-device", f"networks[{index}]: this QEMU has no network card '{device}'", hint="leave 'model' out")
    if card.mtu is not None and device != virtio:
        raise UsageError(
            "no-mtu", f"networks[{index}]: only virtio-net tells the guest an MTU, not '{device}'", hint="leave 'mtu' or 'model' out"
        )
    return device


def _mac(uuid: str, index: int) -> str:
    """Return an address of QEMU's own range 52:54:00 that depends on the machine only."""
    digest = hashlib.sha256(f"{uuid}/{index}".encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])
