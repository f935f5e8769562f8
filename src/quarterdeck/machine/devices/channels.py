"""Ways to talk to QEMU and the guest: QMP, serial console, guest agent, SPICE agent."""

from __future__ import annotations

from quarterdeck.machine.devices.address import SERIAL, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.options import Value, comma_pairs
from quarterdeck.machine.resolved import ResolvedMachine
from quarterdeck.machine.spec import DisplayKind

AGENT_PORT = "org.qemu.guest_agent.0"
SPICE_PORT = "com.redhat.spice.0"
_CONTROLLER = "serial0"


def monitor(machine: ResolvedMachine) -> Part:
    """Return the QMP monitor; the only one, and never on TCP."""
    path = str(machine.layout.socket("qmp"))
    return Part((*_chardev("qmp", path), "-mon", "chardev=qmp,mode=control"), sockets=(("qmp", path),))


def serial(machine: ResolvedMachine) -> Part:
    """Return the first serial port; all that the guest writes is also kept in a file, with or without a viewer."""
    if not machine.serial:
        return Part()
    path = str(machine.layout.socket("serial"))
    log: dict[str, Value] = {"logfile": str(machine.layout.serial_log), "logappend": True}
    return Part((*_chardev("serial", path, log), "-serial", "chardev:serial"), sockets=(("serial", path),))


def agents(machine: ResolvedMachine) -> Part:
    """Return the channels of the guest agent and of the SPICE agent, on one virtio-serial controller."""
    spice = machine.display.kind is DisplayKind.SPICE
    if not machine.agent and not spice:
        return Part()
    board = board_of(machine)
    words = [*device({"driver": virtio(board, "virtio-serial"), "id": _CONTROLLER, **address(board, SERIAL)})]
    sockets: tuple[tuple[str, str], ...] = ()
    if machine.agent:
        path = str(machine.layout.socket("agent"))
        words += [*_chardev("agent", path), *_port("agent", AGENT_PORT, 1)]
        sockets = (("agent", path),)
    if spice:
        words += ["-chardev", "spicevmc,id=spice-agent,name=vdagent", *_port("spice-agent", SPICE_PORT, 2)]
    return Part(tuple(words), sockets=sockets)


def _port(chardev: str, name: str, number: int) -> tuple[str, str]:
    return device(
        {"driver": "virtserialport", "bus": f"{_CONTROLLER}.0", "nr": number, "chardev": chardev, "name": name, "id": f"{chardev}-port"}
    )


def _chardev(name: str, path: str, further: dict[str, Value] | None = None) -> tuple[str, str]:
    options: dict[str, Value] = {"id": name, "path": path, "server": True, "wait": False}
    return ("-chardev", comma_pairs("socket", options | (further or {})))
