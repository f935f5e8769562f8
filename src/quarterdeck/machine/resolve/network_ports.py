"""Says the way of each port from the world to the guest, and finds ports that cannot be had or are given away twice."""

from __future__ import annotations

from quarterdeck.errors import HostError, UsageError
from quarterdeck.host.facts import NetworkFacts
from quarterdeck.machine.ports import LOOPBACK, format_keep, format_port, overlaps
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import KeptPorts, PortForward, ResolvedNetwork
from quarterdeck.machine.spec import DisplayKind, NetworkMode, NetworkSpec

VIEWER_PORT = 8006
"""Where the viewer listens unless the spec says otherwise."""
_ADDRESSES = {"0.0.0.0": "every IPv4 address", "::": "every IPv6 address"}  # noqa: S104 - words, never bound


def kept_ports(ctx: Context, keep: tuple[KeptPorts, ...]) -> tuple[KeptPorts, ...]:
    """Return what ``forward_all`` leaves alone: ``keep``, and the ports of viewer and SPICE.

    Raises:
        UsageError: nobody knows the viewer's port beforehand.
    """
    viewer, display = ctx.spec.viewer, ctx.spec.display
    if viewer.enabled and viewer.port == 0:
        raise UsageError(
            "viewer-port-unknown", "'forward_all' must leave the viewer its port", hint="give 'viewer.port' a number other than 0"
        )
    ours = [viewer.port or VIEWER_PORT] if viewer.enabled else []
    if display.kind is DisplayKind.SPICE and display.spice_port is not None:
        ours.append(display.spice_port)
    return (*keep, *(KeptPorts(port, 1, "tcp") for port in ours if not _covered(port, keep)))


def _covered(port: int, keep: tuple[KeptPorts, ...]) -> bool:
    return any(kept.protocol in {"", "tcp"} and kept.first <= port <= kept.last for kept in keep)


def explain_ports(ctx: Context, card: ResolvedNetwork, wanted: NetworkSpec) -> None:
    """Record the way of each port to the guest.

    Raises:
        HostError: QEMU and its helpers may not listen on a port.
        UsageError: a port is the viewer's.
    """
    for port in card.ports:
        _check_allowed(ctx.facts.network, card, port)
        _check_ipv6(card, port)
        _check_viewer(ctx, card, port)
        ctx.note("port", format_port(port), _way(ctx.facts.network, card, port) + _also(card, port))
    if wanted.forward_all:
        _explain_all(ctx, card)


def _explain_all(ctx: Context, card: ResolvedNetwork) -> None:
    if card.own is None:
        why = f"the mode '{card.mode}' leads only the ports that 'ports' names to the guest; a tap network of our own leads all"
        ctx.note("forward_all", "ignored", why)
        return
    kept = ", ".join(format_keep(item) for item in card.keep) or "none"
    where = "container" if ctx.facts.network.container else "host"
    ctx.note(
        "forward_all", f"to {card.own.guest4}", f"every TCP and UDP port of this {where} leads to the same port of the guest, but: {kept}"
    )


def _way(facts: NetworkFacts, card: ResolvedNetwork, port: PortForward) -> str:
    """Return the chain host -> container -> guest in words."""
    here = f"port {_span(port.host, port.count)}/{port.protocol} on {_ADDRESSES.get(port.address, port.address)}"
    place, carrier = "container" if facts.container else "host", _carrier(card)
    guest = f"guest{f' {card.own.guest4}' if card.own else ''} port {_span(port.guest, port.count)}"
    chain = f"{place} {here} -> {carrier} -> {guest}"
    if not facts.container or facts.shared:
        return chain
    if port.address in {LOOPBACK, "::1"}:
        return f"{chain}; from inside the container only: published ports need 0.0.0.0:{_span(port.host, port.count)}"
    published = _span(port.host, port.count)
    udp = "/udp" if port.protocol == "udp" else ""
    return f"host port (published by -p {published}:{published}{udp}) -> {chain}"


def _carrier(card: ResolvedNetwork) -> str:
    match card.mode:
        case NetworkMode.TAP:
            return "nftables"
        case NetworkMode.PASST:
            return "passt"
        case _:
            return "QEMU"


def _also(card: ResolvedNetwork, port: PortForward) -> str:
    """Say that the same port of the guest is reached by another way too."""
    others = [other for other in card.ports if other is not port and _same_target(other, port)]
    words = [f"; {format_port(other)} leads there too" for other in others]
    if card.forward_all and port.host == port.guest and card.own is not None:
        words.append("; 'forward_all' leads it already")
    return "".join(words)


def _same_target(one: PortForward, other: PortForward) -> bool:
    apart = one.guest + one.count <= other.guest or other.guest + other.count <= one.guest
    return one.protocol == other.protocol and not apart


def _check_allowed(facts: NetworkFacts, card: ResolvedNetwork, port: PortForward) -> None:
    if card.own is None and port.host < facts.lowest_port:
        raise HostError(
            "port-privileged",
            f"port {port.host} cannot be opened for the guest",
            reason=f"QEMU's user may listen on ports from {facts.lowest_port} on",
            hint=_low_port_hint(facts, port),
        )


def _low_port_hint(facts: NetworkFacts, port: PortForward) -> str:
    other = f"choose a higher one, such as {8000 + port.host % 1000}:{port.guest}"
    if facts.container:
        return f"{other}, or give the container --sysctl net.ipv4.ip_unprivileged_port_start=0"
    return f"{other}, or: sysctl -w net.ipv4.ip_unprivileged_port_start={port.host}"


def _check_ipv6(card: ResolvedNetwork, port: PortForward) -> None:
    """The kernel leads no packet out that came from ::1, whatever its rules say."""
    if card.own is None or ":" not in port.address:
        return
    if port.address == "::1":
        raise UsageError("no-ipv6-ports", f"'{format_port(port)}': a tap network leads no ports of ::1", hint="use 127.0.0.1")
    if not card.own.guest6:
        raise UsageError("no-ipv6-ports", f"'{format_port(port)}': the guest gets no IPv6 address here", hint="'qd explain' says why")


def _check_viewer(ctx: Context, card: ResolvedNetwork, port: PortForward) -> None:
    """In a tap network nobody listens on the port, so the viewer would get it and never see a visitor."""
    viewer = ctx.spec.viewer
    own = PortForward(viewer.address, viewer.port or VIEWER_PORT, 0)
    if card.own is not None and viewer.enabled and viewer.port is None and overlaps(port, own):
        raise UsageError(
            "port-of-viewer",
            f"'{format_port(port)}' takes port {VIEWER_PORT}, where the viewer listens",
            hint="choose another port, or set 'viewer.port'",
        )


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}-{first + count - 1}"
