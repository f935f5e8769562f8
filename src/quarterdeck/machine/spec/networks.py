"""Network cards as a user wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Flag, Mac, Text
from quarterdeck.machine.spec.enums import NetworkMode


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """One network card."""

    __pydantic_config__: ClassVar[Any] = STRICT

    mode: NetworkMode = NetworkMode.AUTO
    ports: tuple[Text, ...] = ()
    """Ports of the host that lead to the guest, each ``[ADDRESS:]HOST:GUEST[/udp]``; ranges as ``8000-8010:8000-8010``.
    ADDRESS is 127.0.0.1 unless given. For user, passt, and a tap network of our own."""
    forward_all: Flag = False
    """Lead every TCP and UDP port of this network namespace to the guest, but those of ``keep`` and the viewer's: as if the guest had the
    container's address. Done by a tap network of our own only, on one card; other modes say in ``qd explain`` that they do not."""
    keep: tuple[Text, ...] = ()
    """Ports that ``forward_all`` leaves alone, each ``PORT`` or ``FIRST-LAST``, with ``/tcp`` or ``/udp`` for one protocol only."""
    address: Text | None = None
    """The guest's IPv4 address in a tap network of our own, with the length of its prefix, such as 172.30.5.2/24.
    Default: one in a free private network, the same at each start while it stays free."""
    mac: Mac | None = None
    """Default: made from the machine's name, so that it never changes."""
    model: Text | None = None
    """QEMU device. Default: virtio-net where the architecture has it."""
    interface: Text | None = None
    """The bridge, required for bridge; a tap device that exists already; or the device of the host that macvtap stands on, by default the
    one of the default route."""
    mtu: Annotated[int, Field(strict=True, ge=576, le=65535)] | None = None
    """Default: what the device of the default route takes, in a tap network of our own and with macvtap; else QEMU's."""
