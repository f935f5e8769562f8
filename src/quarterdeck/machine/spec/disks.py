"""Disks and optical drives as a user wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Flag, Size, Text
from quarterdeck.machine.spec.enums import Aio, Cache, DiskBus, DiskFormat


@dataclass(frozen=True, kw_only=True)
class DiskSpec:
    """One disk. The first disk is the one the machine boots from; ``boot`` fills it."""

    __pydantic_config__: ClassVar[Any] = STRICT

    size: Size | None = None
    """Size in bytes or with a unit. Default: the image's own size, but 20G for a new first disk and for one whose image grows
    by itself at its first boot, as Debian's does; other new disks need a size."""
    image: Text | None = None
    """A disk image to start from. It is never written: the machine writes to an overlay, unless ``in_place``."""
    in_place: Flag = False
    """Write to ``image`` itself."""
    format: DiskFormat = DiskFormat.QCOW2
    """Format of a new, empty disk; an overlay is always qcow2."""
    bus: DiskBus | None = None
    """Default: virtio-blk where the architecture has it."""
    cache: Cache = Cache.WRITEBACK
    aio: Aio = Aio.AUTO
    io_thread: Flag = True
    """Serve the disk from a thread of its own; virtio-blk and virtio-scsi only, ignored elsewhere with a note in ``qd explain``."""
    discard: Flag = True
    """Give freed blocks back to the host."""
    read_only: Flag = False
    serial: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_.+-]{1,20}$")] | None = None
    """Serial number that the guest sees."""
    rotation: Annotated[int, Field(strict=True, ge=0, le=0xFFFE)] | None = None
    """Rotation rate that the guest sees: 1 is an SSD, else turns per minute; virtio-scsi, sata and ide only. Default: none is told."""
    preallocate: Flag = False
    """Take the space of a new, empty disk at once."""
    format_options: tuple[Annotated[str, Field(strict=True, pattern=r"^[a-z_]+=[A-Za-z0-9_.-]+$", max_length=100)], ...] = ()
    """qemu-img's options for a new, empty disk, each ``KEY=VALUE``, such as ``cluster_size=2M``."""


@dataclass(frozen=True, kw_only=True)
class CdromSpec:
    """One optical drive with an ISO image in it, or empty."""

    __pydantic_config__: ClassVar[Any] = STRICT

    image: Text | None = None
    bus: DiskBus | None = None
    """sata, ide, usb or virtio-scsi. Default: what the machine type has."""
