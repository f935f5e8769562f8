"""The whole machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Count, Flag, Name, Size, Text
from quarterdeck.machine.spec.devices import DisplaySpec, ShareSpec, UsbSpec
from quarterdeck.machine.spec.disks import CdromSpec, DiskSpec
from quarterdeck.machine.spec.enums import Accel, Firmware
from quarterdeck.machine.spec.fetch import FetchSpec
from quarterdeck.machine.spec.networks import NetworkSpec
from quarterdeck.machine.spec.provision import ProvisionSpec
from quarterdeck.machine.spec.viewer import ViewerSpec


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """A whole machine."""

    __pydantic_config__: ClassVar[Any] = STRICT

    name: Name | None = None
    """Default: made from what boots, such as ``debian``."""
    arch: Annotated[str, Field(strict=True, min_length=1, max_length=32)] | None = None
    """Default: this host's. Any name that QEMU, Debian or OCI use."""
    boot: Text | None = None
    """A name of the catalogue as ``NAME[:RELEASE]``, such as ``debian`` or ``mint:22.1``; the URL of an image; or a file, which may be
    packed. Without it the first disk boots as it is."""
    fetch: FetchSpec = field(default_factory=FetchSpec)
    cpus: Count | Literal["half", "max"] = 2
    memory: Size | Literal["half", "max"] = 2 << 30
    cpu_model: Text | None = None
    """QEMU's ``-cpu``. Default: ``host`` with KVM, the fullest model without."""
    machine_type: Text | None = None
    """QEMU's ``-machine`` type. Default: the architecture's."""
    firmware: Firmware = Firmware.AUTO
    accel: Accel = Accel.AUTO
    disks: tuple[DiskSpec, ...] = ()
    cdroms: tuple[CdromSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = (NetworkSpec(),)
    display: DisplaySpec = field(default_factory=DisplaySpec)
    serial: Flag = True
    agent: Flag = True
    """Offer the guest agent's channel."""
    tpm: Flag = False
    rng: Flag = True
    balloon: Flag = True
    usb: tuple[UsbSpec, ...] = ()
    shares: tuple[ShareSpec, ...] = ()
    provision: ProvisionSpec = field(default_factory=ProvisionSpec)
    viewer: ViewerSpec = field(default_factory=ViewerSpec)
    qemu_args: tuple[Annotated[str, Field(strict=True, max_length=4096)], ...] = ()
    """Further arguments for QEMU, each as its own list item."""
