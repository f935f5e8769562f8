"""Decides network cards."""

from __future__ import annotations

import hashlib

from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.ports import format_port, parse_port
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import ResolvedNetwork
from quarterdeck.machine.spec import NetworkMode, NetworkSpec

_STREAM_SINCE = (7, 2, 0)
"""``-netdev stream``, which passt speaks, came with QEMU 7.2."""
_USER_FORWARDS = 1024


def networks(ctx: Context) -> tuple[ResolvedNetwork, ...]:
    """Return every network card; the mode ``none`` makes no card.

    Raises:
        HostError: a helper is missing; the hint names the package.
        UsageError: this machine cannot have the card.
    """
    cards = tuple(_network(ctx, index, card) for index, card in enumerate(ctx.spec.networks) if card.mode is not NetworkMode.NONE)
    if not cards:
        ctx.note("network", "none", "the spec asks for no card")
    if any(card.mode is NetworkMode.BRIDGE for card in cards):
        ctx.note(
            "sandbox",
            "may start programs",
            "qemu-bridge-helper is set-uid root and plugs the card into the bridge; other modes need no such right",
        )
    return cards


def _network(ctx: Context, index: int, card: NetworkSpec) -> ResolvedNetwork:
    _require_helper(ctx, card.mode)
    ports = tuple(parse_port(text) for text in card.ports)
    if card.mode is NetworkMode.USER and sum(port.count for port in ports) > _USER_FORWARDS:
        raise UsageError("too-many-ports", f"networks[{index}] forwards more than {_USER_FORWARDS} ports", hint="use the mode 'passt'")
    device = _device(ctx, index, card)
    leads = f"; host ports {', '.join(format_port(port) for port in ports)}" if ports else ""
    ctx.note(f"network{index}", f"{card.mode}, {device}", _WHY[card.mode] + leads)
    return ResolvedNetwork(
        id=f"net{index}",
        mode=card.mode,
        device=device,
        mac=card.mac or _mac(ctx.uuid, index),
        ports=ports,
        interface=card.interface or "",
        mtu=card.mtu,
    )


_WHY = {
    NetworkMode.USER: "QEMU's own NAT: works everywhere and needs no privilege",
    NetworkMode.PASST: "passt carries the guest's connections; no privilege, IPv6 too",
    NetworkMode.TAP: "the spec names a tap device",
    NetworkMode.BRIDGE: "the spec names a bridge of the host",
}


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


def _require_helper(ctx: Context, mode: NetworkMode) -> None:
    program, package = {NetworkMode.PASST: ("passt", "passt"), NetworkMode.BRIDGE: ("qemu-bridge-helper", "qemu-system-common")}.get(
        mode, ("", "")
    )
    if program and ctx.facts.tool(program) is None:
        raise HostError(
            "program-missing", f"the network mode '{mode}' needs {program}", reason="it is not installed", hint=f"apt install {package}"
        )
    if mode is NetworkMode.PASST and ctx.facts.qemu.version < _STREAM_SINCE:
        version = ".".join(str(part) for part in ctx.facts.qemu.version)
        raise HostError(
            "qemu-too-old", "the network mode 'passt' needs QEMU 7.2", reason=f"this is QEMU {version}", hint="use the mode 'user'"
        )


def _mac(uuid: str, index: int) -> str:
    """Return an address of QEMU's own range 52:54:00 that depends on the machine only."""
    digest = hashlib.sha256(f"{uuid}/{index}".encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])
