"""What no single field can tell about network cards: fields that contradict each other, and ports that are given away twice."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from quarterdeck.core.place import Loc
from quarterdeck.errors import UsageError
from quarterdeck.machine.ports import is_kept, overlaps, parse_keep, parse_port
from quarterdeck.machine.resolved import KeptPorts, PortForward
from quarterdeck.machine.spec import MachineSpec, NetworkMode, NetworkSpec
from quarterdeck.machine.validate import Finding

_FORWARDING = frozenset({NetworkMode.AUTO, NetworkMode.USER, NetworkMode.PASST})
_PLUGGED = frozenset({NetworkMode.TAP, NetworkMode.BRIDGE, NetworkMode.MACVTAP})
_PREFIXES = range(16, 31)


def forwarding(mode: str | None, interface: str | None) -> bool:
    """Whether ports of the host can lead to a card of ``mode`` (None: the default) on ``interface``."""
    return mode is None or mode in _FORWARDING or _is_own(mode, interface)


def networks(spec: MachineSpec) -> Iterator[Finding]:
    """Yield everything that is wrong with the network cards of ``spec``."""
    taken: list[tuple[PortForward, str]] = []
    everything: list[int] = []
    for index, network in enumerate(spec.networks):
        loc: Loc = ("networks", index)
        yield from _card(network, loc)
        yield from _ports(network, loc, taken)
        yield from _own_ports(network, loc, spec)
        if network.forward_all:
            everything.append(index)
    for index in everything[1:]:
        hint = "set it for one card"
        yield Finding(("networks", index, "forward_all"), f"every port leads to networks[{everything[0]}] already", hint)


def _is_own(mode: str, interface: str | None) -> bool:
    return mode == NetworkMode.TAP and interface is None


def _card(network: NetworkSpec, loc: Loc) -> Iterator[Finding]:
    yield from _interface(network, loc)
    if network.ports and not forwarding(network.mode, network.interface):
        where = "a tap device that exists already" if network.mode is NetworkMode.TAP else f"'{network.mode}'"
        yield Finding((*loc, "ports"), f"cannot be forwarded with {where}: the guest has an address of its own there")
    if network.mac is not None and int(network.mac[:2], 16) & 1:
        yield Finding((*loc, "mac"), "is a multicast address", "the first byte must be even, such as 52")
    if network.address is not None:
        yield from _address(network, loc)
    yield from _kept(network, loc)


def _interface(network: NetworkSpec, loc: Loc) -> Iterator[Finding]:
    if network.interface is None:
        if network.mode is NetworkMode.BRIDGE:
            yield Finding((*loc, "interface"), "is required for 'bridge': the name of the bridge")
        return
    if network.mode not in _PLUGGED:
        yield Finding((*loc, "interface"), f"is for 'tap', 'bridge' and 'macvtap', not for '{network.mode}'")
    if len(network.interface.encode()) > 15 or set("/ ") & set(network.interface):
        yield Finding((*loc, "interface"), "is not the name of a network interface: at most 15 characters, no space, no '/'")


def _address(network: NetworkSpec, loc: Loc) -> Iterator[Finding]:
    inner = (*loc, "address")
    if network.mode is not NetworkMode.AUTO and not _is_own(network.mode, network.interface):
        yield Finding(inner, "can be chosen in a tap network of our own only", "remove it, or 'interface'")
    try:
        wanted = ipaddress.IPv4Interface(network.address)
    except ValueError:
        yield Finding(inner, f"'{network.address}' is no IPv4 address", "write it as 172.30.5.2/24")
        return
    if wanted.network.prefixlen not in _PREFIXES:
        yield Finding(inner, "needs the length of its prefix, 16 to 30", f"write {wanted.ip}/24")
    elif wanted.ip in {wanted.network.network_address, wanted.network.broadcast_address}:
        yield Finding(
            inner,
            f"{wanted.ip} is the address of the whole network, or of all in it",
            f"write {wanted.network[2]}/{wanted.network.prefixlen}",
        )


def _kept(network: NetworkSpec, loc: Loc) -> Iterator[Finding]:
    if network.keep and not network.forward_all:
        yield Finding((*loc, "keep"), "excepts ports from 'forward_all', which is not set", "set 'forward_all: true', or remove it")
    for index, text in enumerate(network.keep):
        try:
            parse_keep(text)
        except UsageError as error:
            yield Finding((*loc, "keep", index), error.message, error.hint)


def _ports(network: NetworkSpec, loc: Loc, taken: list[tuple[PortForward, str]]) -> Iterator[Finding]:
    keep = tuple(_readable(network.keep))
    for index, text in enumerate(network.ports):
        inner = (*loc, "ports", index)
        try:
            forward = parse_port(text)
        except UsageError as error:
            yield Finding(inner, error.message, error.hint)
            continue
        if ":" in forward.address and network.mode is NetworkMode.USER:
            yield Finding(inner, "QEMU's user network forwards from IPv4 addresses only", "use the mode 'passt'")
        clash = next((other for known, other in taken if overlaps(forward, known)), None)
        if clash is not None:
            yield Finding(inner, f"takes a host port that '{clash}' takes already")
        if is_kept(forward, keep):
            yield Finding(inner, "leads a port to the guest that 'keep' keeps from it", "remove it from one of the two")
        taken.append((forward, text))


def _readable(texts: tuple[str, ...]) -> Iterator[KeptPorts]:
    """Yield what can be read; what cannot is told of elsewhere."""
    for text in texts:
        try:
            yield parse_keep(text)
        except UsageError:
            continue


def _own_ports(network: NetworkSpec, loc: Loc, spec: MachineSpec) -> Iterator[Finding]:
    viewer, display = spec.viewer, spec.display
    if viewer.enabled and viewer.port:
        yield from _taken(network, loc, PortForward(viewer.address, viewer.port, viewer.port), who="the viewer")
    if display.spice_port:
        yield from _taken(network, loc, PortForward(display.spice_address, display.spice_port, display.spice_port), who="SPICE")


def _taken(network: NetworkSpec, loc: Loc, own: PortForward, *, who: str) -> Iterator[Finding]:
    for index, text in enumerate(network.ports):
        try:
            forward = parse_port(text)
        except UsageError:
            continue
        if overlaps(forward, own):
            yield Finding((*loc, "ports", index), f"takes port {own.host}, where {who} listens", "choose another port for one of them")
