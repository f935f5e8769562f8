"""The screen: the graphics device, VNC on a Unix socket, and SPICE on one or on a port."""

from __future__ import annotations

from quarterdeck.machine.devices.address import DISPLAY, address
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.options import comma_argument, comma_pairs, json_argument
from quarterdeck.machine.resolved import ResolvedDisplay, ResolvedMachine
from quarterdeck.machine.spec import DisplayKind


def display(machine: ResolvedMachine) -> Part:
    """Return screen and server; whoever can open a socket is let in, so its folder is private."""
    wanted = machine.display
    if wanted.kind is DisplayKind.NONE:
        return Part(("-display", "none"))
    # Shared: a second viewer must not throw out the first.
    vnc = str(machine.layout.socket("vnc"))
    servers: tuple[str, ...] = ("-vnc", comma_argument(f"unix:{vnc}", share="force-shared"))
    sockets = [("vnc", vnc)]
    if wanted.kind is DisplayKind.SPICE:
        # VNC stays for the web console, for which there is no SPICE client; QEMU serves both at once.
        servers = ("-spice", _spice(machine), *servers)
        sockets += [] if wanted.port else [("spice", str(machine.layout.socket("spice")))]
    screen = {
        "driver": wanted.device,
        "id": "screen0",
        "xres": wanted.width or None,
        "yres": wanted.height or None,
        **(address(board_of(machine), DISPLAY)),
    }
    return Part((*_drawing(wanted), *servers, *device(screen)), sockets=tuple(sockets))


def _drawing(wanted: ResolvedDisplay) -> tuple[str, str]:
    """Return who draws: with a GPU, QEMU's egl-headless, which gives the servers what the GPU drew (qemu(1), ``-display``)."""
    return ("-display", json_argument({"type": "egl-headless", "rendernode": wanted.gpu}) if wanted.gpu else "none")


def _spice(machine: ResolvedMachine) -> str:
    wanted, path = machine.display, str(machine.layout.socket("spice"))
    if wanted.port is None:
        # SPICE's own "unix" switch turns addr into a path (QEMU 7.2, ui/spice-core.c).
        return comma_argument(unix=True, addr=path, **{"disable-ticketing": True})
    # Without a password the server lets nobody in, until one is set by QMP for a moment.
    if wanted.tls:
        return comma_pairs("", {"addr": wanted.address, "tls-port": wanted.port, "x509-dir": str(machine.layout.spice)})
    return comma_argument(addr=wanted.address, port=wanted.port)
