"""Decides what ``auto`` means here, and whether the mode of a card works at all."""

from __future__ import annotations

from quarterdeck.errors import HostError, UsageError
from quarterdeck.host.facts import Verdict
from quarterdeck.machine.ports import parse_port
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.spec import NetworkMode, NetworkSpec

_STREAM_SINCE = (7, 2, 0)
"""``-netdev stream``, which passt speaks, came with QEMU 7.2."""

_WHY = {
    NetworkMode.USER: "QEMU's own NAT: works everywhere and needs no privilege",
    NetworkMode.PASST: "passt carries the guest's connections; no privilege, IPv6 too",
    NetworkMode.TAP: "the spec asks for a network of the machine's own",
    NetworkMode.BRIDGE: "the spec names a bridge of the host",
    NetworkMode.MACVTAP: "the spec asks for an address of its own beside the host's",
}


def choose_mode(ctx: Context, card: NetworkSpec) -> tuple[NetworkMode, str]:
    """Return the mode of ``card`` and why, with what would make it better connected.

    Raises:
        HostError: the host lacks what the mode that the spec names needs; the hint says how to get it.
        UsageError: what the spec wants of the card works in none of the modes that this host has.
    """
    if card.mode is NetworkMode.AUTO:
        mode, why = _best(ctx)
        _check_ipv6_ports(card, mode)
        return mode, why
    _require(ctx, card)
    if card.mode is NetworkMode.TAP and card.interface is not None:
        return card.mode, "the spec names a tap device"
    return card.mode, _WHY[card.mode]


def _best(ctx: Context) -> tuple[NetworkMode, str]:
    facts = ctx.facts.network
    tap, passt = _own_tap(ctx), _passt(ctx)
    if tap.works:
        return NetworkMode.TAP, f"a network of its own is the fastest, and this container allows it: {tap.reason}"
    better = _better(tap) if facts.container else ""
    if passt.works:
        return NetworkMode.PASST, f"{_WHY[NetworkMode.PASST]}; {passt.reason}{better}"
    return NetworkMode.USER, f"{_WHY[NetworkMode.USER]}; no passt: {passt.reason}{better}"


def _better(tap: Verdict) -> str:
    advice = f"; faster and with every port: {tap.hint}" if tap.hint else ""
    return f"; no network of its own: {tap.reason}{advice}"


def _own_tap(ctx: Context) -> Verdict:
    """Return whether ``auto`` may take a tap network: rules in a host's kernel are made only for those who ask for them."""
    facts = ctx.facts.network
    if not facts.container:
        return Verdict(False, "outside of containers it is made only when asked for")
    if facts.shared:
        return Verdict(False, "the container uses the host's own network", "leave --network host out")
    return _tap(ctx)


def _tap(ctx: Context) -> Verdict:
    facts = ctx.facts.network
    if not facts.tap.works:
        return facts.tap
    for program, package in (("nft", "nftables"), ("dnsmasq", "dnsmasq-base")):
        if ctx.facts.tool(program) is None:
            return Verdict(False, f"{program} is not installed", f"apt install {package}")
    return facts.tap if facts.forwarding4.works else facts.forwarding4


def _passt(ctx: Context) -> Verdict:
    if ctx.facts.tool("passt") is None:
        return Verdict(False, "it is not installed", "apt install passt")
    if ctx.facts.qemu.version < _STREAM_SINCE:
        version = ".".join(str(part) for part in ctx.facts.qemu.version)
        return Verdict(False, f"it needs QEMU 7.2, this is {version}", "use the mode 'user'")
    return ctx.facts.network.passt


def _check_ipv6_ports(card: NetworkSpec, mode: NetworkMode) -> None:
    if mode is NetworkMode.USER and any(":" in parse_port(text).address for text in card.ports):
        raise UsageError(
            "no-ipv6-ports",
            "QEMU's user network forwards from IPv4 addresses only",
            hint="'passt' could: 'qd explain' says why it is not used",
        )


def _require(ctx: Context, card: NetworkSpec) -> None:
    match card.mode:
        case NetworkMode.PASST:
            _require_passt(ctx)
        case NetworkMode.BRIDGE if ctx.facts.tool("qemu-bridge-helper") is None:
            raise _missing("bridge", Verdict(False, "qemu-bridge-helper is not installed", "apt install qemu-system-common"))
        case NetworkMode.TAP if card.interface is None and not (verdict := _tap(ctx)).works:
            raise _missing("tap", verdict)
        case NetworkMode.MACVTAP if not (verdict := _macvtap(ctx, card)).works:
            raise _missing("macvtap", verdict)
        case _:
            return


def _require_passt(ctx: Context) -> None:
    """Whoever asks for passt by name gets it unless it cannot be there; when it fails, its own log says why."""
    if ctx.facts.tool("passt") is None:
        raise HostError("program-missing", "the network mode 'passt' needs passt", reason="it is not installed", hint="apt install passt")
    if ctx.facts.qemu.version < _STREAM_SINCE:
        verdict = _passt(ctx)
        raise HostError("qemu-too-old", "the network mode 'passt' needs QEMU 7.2", reason=verdict.reason, hint=verdict.hint)


def _macvtap(ctx: Context, card: NetworkSpec) -> Verdict:
    if card.interface is None and not ctx.facts.network.uplink:
        return Verdict(False, "there is no default route, so nobody knows what it should stand on", "name the device in 'interface'")
    return ctx.facts.network.macvtap


def _missing(mode: str, verdict: Verdict) -> HostError:
    return HostError("network-refused", f"the network mode '{mode}' does not work here", reason=verdict.reason, hint=verdict.hint)
