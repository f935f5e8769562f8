"""Network cards as a user wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Mac, Text
from quarterdeck.machine.spec.enums import NetworkMode


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """One network card."""

    __pydantic_config__: ClassVar[Any] = STRICT

    mode: NetworkMode = NetworkMode.USER
    ports: tuple[Text, ...] = ()
    """Ports of the host that lead to the guest, each ``[ADDRESS:]HOST:GUEST[/udp]``; ranges as ``8000-8010:8000-8010``.
    ADDRESS is 127.0.0.1 unless given; user and passt only."""
    mac: Mac | None = None
    """Default: made from the machine's name, so that it never changes."""
    model: Text | None = None
    """QEMU device. Default: virtio-net where the architecture has it."""
    interface: Text | None = None
    """The tap device or the bridge; required for tap and bridge."""
    mtu: Annotated[int, Field(strict=True, ge=576, le=65535)] | None = None
