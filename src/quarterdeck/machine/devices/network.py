"""Network cards and what carries their traffic."""

from __future__ import annotations

from typing import assert_never

from quarterdeck.machine.devices.address import NETWORK, address
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Options, Part, device, joined
from quarterdeck.machine.options import json_argument
from quarterdeck.machine.resolved import PortForward, ResolvedMachine, ResolvedNetwork, Sidecar
from quarterdeck.machine.spec import NetworkMode


def networks(machine: ResolvedMachine) -> Part:
    """Return all network cards."""
    return joined(_network(machine, index, card) for index, card in enumerate(machine.networks))


def _network(machine: ResolvedMachine, index: int, card: ResolvedNetwork) -> Part:
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
    backend = ("-netdev", json_argument(_backend(machine, card)))
    sidecars = (passt(machine, card),) if card.mode is NetworkMode.PASST else ()
    return Part((*backend, *device(options)), sidecars)


def _backend(machine: ResolvedMachine, card: ResolvedNetwork) -> Options:
    match card.mode:
        case NetworkMode.USER:
            return {"type": "user", "id": card.id, "hostfwd": [{"str": text} for text in _host_forwards(card.ports)] or None}
        case NetworkMode.PASST:
            path = str(machine.layout.socket(card.id))
            return {"type": "stream", "id": card.id, "server": False, "addr": {"type": "unix", "path": path}}
        case NetworkMode.TAP:
            return {"type": "tap", "id": card.id, "ifname": card.interface, "script": "no", "downscript": "no"}
        case NetworkMode.BRIDGE:
            return {"type": "bridge", "id": card.id, "br": card.interface, "helper": dict(machine.tools)["qemu-bridge-helper"]}
        case NetworkMode.NONE:
            raise AssertionError("the mode 'none' makes no card")
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
