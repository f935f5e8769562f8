"""Network cards and what carries their traffic."""

from __future__ import annotations

from typing import assert_never

from quarterdeck.machine.devices.address import NETWORK, address
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.dnsmasq import dnsmasq
from quarterdeck.machine.devices.part import Options, Part, device, joined
from quarterdeck.machine.options import json_argument
from quarterdeck.machine.resolved import PortForward, ResolvedMachine, ResolvedNetwork, Sidecar
from quarterdeck.machine.spec import NetworkMode


def networks(machine: ResolvedMachine, *, descriptors: bool) -> Part:
    """Return all network cards; without ``descriptors``, devices that the launcher opens are shown by their names."""
    return joined(_network(machine, index, card, descriptors=descriptors) for index, card in enumerate(machine.networks))


def fd_word(card: str) -> str:
    """Return the word that stands for the descriptor of the device of ``card``, such as ``net0``, in QEMU's arguments."""
    return f"quarterdeck-fd-{card}"


def vhost_word(card: str) -> str:
    """Return the word that stands for the descriptor of /dev/vhost-net of ``card``."""
    return f"quarterdeck-vhost-{card}"


def _network(machine: ResolvedMachine, index: int, card: ResolvedNetwork, *, descriptors: bool) -> Part:
    board = board_of(machine)
    options = {
        "driver": card.device,
        "id": f"{card.id}-device",
        "netdev": card.id,
        "mac": card.mac,
        "host_mtu": card.mtu,
        # Without an option ROM there is no network boot, and no ROM file that could be missing.
        "romfile": "" if board.pci else None,
        **address(board, NETWORK, index, len(machine.networks)),
    }
    backend = ("-netdev", json_argument(_opened(card) if card.link and descriptors else _backend(machine, card)))
    return Part((*backend, *device(options)), _helpers(machine, card))


def _helpers(machine: ResolvedMachine, card: ResolvedNetwork) -> tuple[Sidecar, ...]:
    if card.mode is NetworkMode.PASST:
        return (passt(machine, card),)
    return () if card.own is None else (dnsmasq(machine, card, card.own),)


def _opened(card: ResolvedNetwork) -> Options:
    """Return the device as descriptors that QEMU inherits: it never opens /dev/net/tun itself.

    Source: ``NetdevTapOptions`` in QEMU's qapi/net.json.
    """
    vhost = {"vhost": True, "vhostfd": vhost_word(card.id)} if card.vhost else {}
    return {"type": "tap", "id": card.id, "fd": fd_word(card.id), **vhost}


def _backend(machine: ResolvedMachine, card: ResolvedNetwork) -> Options:
    match card.mode:
        case NetworkMode.USER:
            return {"type": "user", "id": card.id, "hostfwd": [{"str": text} for text in _host_forwards(card.ports)] or None}
        case NetworkMode.PASST:
            path = str(machine.layout.socket(card.id))
            return {"type": "stream", "id": card.id, "server": False, "addr": {"type": "unix", "path": path}}
        case NetworkMode.TAP | NetworkMode.MACVTAP:
            return {"type": "tap", "id": card.id, "ifname": card.link or card.interface, "script": "no", "downscript": "no"}
        case NetworkMode.BRIDGE:
            return {"type": "bridge", "id": card.id, "br": card.interface, "helper": dict(machine.tools)["qemu-bridge-helper"]}
        case NetworkMode.NONE | NetworkMode.AUTO:
            raise AssertionError(f"no card has the mode '{card.mode}'")
        case _:
            assert_never(card.mode)


def _host_forwards(ports: tuple[PortForward, ...]) -> list[str]:
    """Return one forward for each port, as ``-netdev user,hostfwd=`` takes it: it knows no ranges."""
    return [f"{port.protocol}:{port.address}:{port.host + offset}-:{port.guest + offset}" for port in ports for offset in range(port.count)]


def passt(machine: ResolvedMachine, card: ResolvedNetwork) -> Sidecar:
    """Return the helper of one card, which ends with QEMU.

    Source: the manual page of passt, 2023-03-09 (Debian 12) and later.
    """
    path = str(machine.layout.socket(card.id))
    words = [dict(machine.tools)["passt"], "--foreground", "--one-off", "--quiet", "--socket", path]
    if card.mtu is not None:
        words += ["--mtu", str(card.mtu)]
    for port in card.ports:
        words += ["--tcp-ports" if port.protocol == "tcp" else "--udp-ports", _passt_forward(port)]
    return Sidecar(f"passt-{card.id}", tuple(words), path)


def _passt_forward(port: PortForward) -> str:
    if port.count == 1:
        return f"{port.address}/{port.host}:{port.guest}"
    return f"{port.address}/{port.host}-{port.host + port.count - 1}:{port.guest}-{port.guest + port.count - 1}"
