"""Sees before anything is started whether QEMU or passt could listen on the ports that lead to the guest."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable

from quarterdeck.errors import HostError
from quarterdeck.machine.resolved import PortForward, ResolvedNetwork
from quarterdeck.machine.spec import NetworkMode

_LISTENING = frozenset({NetworkMode.USER, NetworkMode.PASST})


def check_free(cards: Iterable[ResolvedNetwork]) -> None:
    """Listen on every port that QEMU or passt will listen on, and let it go again.

    Raises:
        HostError: somebody has the port, or this host has no such address.
    """
    for card in cards:
        if card.mode in _LISTENING:
            for forward in card.ports:
                for step in range(forward.count):
                    _try(forward, forward.host + step)


def _try(forward: PortForward, port: int) -> None:
    family = socket.AF_INET6 if ":" in forward.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if forward.protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind | socket.SOCK_CLOEXEC) as trying:
        if kind == socket.SOCK_STREAM:
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended do not count
        try:
            trying.bind((forward.address, port))
            if kind == socket.SOCK_STREAM:
                trying.listen(1)
        except OSError as error:
            raise _refused(forward, port, error) from error


def _refused(forward: PortForward, port: int, error: OSError) -> HostError:
    what = f"port {port}/{forward.protocol} on {forward.address} cannot lead to the guest"
    if error.errno == errno.EADDRINUSE:
        listing = "ss -lunp" if forward.protocol == "udp" else "ss -ltnp"
        return HostError(
            "port-taken", what, reason="another program listens there", hint=f"choose another port; '{listing}' shows who has this one"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return HostError(
            "port-refused", what, reason="this host has no such address", hint="0.0.0.0 is every IPv4 address, 127.0.0.1 this host only"
        )
    return HostError("port-refused", what, reason=os.strerror(error.errno or 0), hint="choose another port")
