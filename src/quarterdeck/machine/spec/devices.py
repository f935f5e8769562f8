"""Screen, USB devices and shared folders as a user wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Flag, Text
from quarterdeck.machine.spec.enums import DisplayKind, Pointer, ShareKind

RenderNodePath = Annotated[str, Field(strict=True, pattern=r"^/dev/dri/renderD\d{1,4}$")]


@dataclass(frozen=True, kw_only=True)
class DisplaySpec:
    """The guest's screen."""

    __pydantic_config__: ClassVar[Any] = STRICT

    kind: DisplayKind = DisplayKind.VNC
    device: Text | None = None
    """QEMU device, such as virtio-vga or VGA. Default: what the architecture shows a console on."""
    resolution: Annotated[str, Field(strict=True, pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$")] | None = None
    """Preferred size as WIDTHxHEIGHT."""
    pointer: Pointer = Pointer.TABLET
    gpu: Flag | RenderNodePath = False
    """Draw the guest's OpenGL by a GPU of this host: the first that can be used, or the render node ``/dev/dri/renderD...``."""
    spice_port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None
    """With the kind spice: a TCP port, behind one-time passwords. Default: a Unix socket in the machine's folder."""
    spice_address: Annotated[str, Field(strict=True, min_length=1, max_length=253)] = "127.0.0.1"
    """Where that port is opened."""
    spice_tls: Text | None = None
    """A folder with ca-cert.pem, server-cert.pem and server-key.pem: the port then speaks TLS. Read at each start."""


@dataclass(frozen=True, kw_only=True)
class UsbSpec:
    """A USB device of the host that is handed to the guest; by identity or by place."""

    __pydantic_config__: ClassVar[Any] = STRICT

    vendor: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)] | None = None
    product: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)] | None = None
    bus: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None
    port: Annotated[str, Field(strict=True, pattern=r"^\d+(\.\d+)*$")] | None = None


@dataclass(frozen=True, kw_only=True)
class ShareSpec:
    """A folder of the host that the guest can mount by its tag."""

    __pydantic_config__: ClassVar[Any] = STRICT

    path: Text
    tag: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_.-]{1,31}$")] = "shared"
    kind: ShareKind = ShareKind.AUTO
    read_only: Flag = False
