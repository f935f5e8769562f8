"""The screen: the graphics device, and VNC or SPICE on a Unix socket."""

from __future__ import annotations

from quarterdeck.machine.devices.address import DISPLAY, address
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.options import comma_argument
from quarterdeck.machine.resolved import ResolvedMachine
from quarterdeck.machine.spec import DisplayKind


def display(machine: ResolvedMachine) -> Part:
    """Return screen and server; whoever can open the socket is let in, so its folder is private."""
    wanted = machine.display
    nobody = ("-display", "none")
    if wanted.kind is DisplayKind.NONE:
        return Part(nobody)
    path = str(machine.layout.socket(wanted.kind.value))
    if wanted.kind is DisplayKind.SPICE:
        # SPICE's own "unix" switch turns addr into a path (QEMU 7.2, ui/spice-core.c).
        server = ("-spice", comma_argument(unix=True, addr=path, **{"disable-ticketing": True}))
    else:
        # Shared: a second viewer must not throw out the first.
        server = ("-vnc", comma_argument(f"unix:{path}", share="force-shared"))
    screen = {
        "driver": wanted.device,
        "id": "screen0",
        "xres": wanted.width or None,
        "yres": wanted.height or None,
        **(address(board_of(machine), DISPLAY)),
    }
    return Part((*nobody, *server, *device(screen)), sockets=((wanted.kind.value, path),))
