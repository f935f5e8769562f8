"""The whole machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Count, Flag, Name, Size, Text
from quarterdeck.machine.spec.devices import DisplaySpec, ShareSpec, UsbSpec
from quarterdeck.machine.spec.disks import CdromSpec, DiskSpec
from quarterdeck.machine.spec.enums import Accel, BootFirst, DiskBus, Firmware
from quarterdeck.machine.spec.fetch import FetchSpec
from quarterdeck.machine.spec.memory import BallooningSpec
from quarterdeck.machine.spec.networks import NetworkSpec
from quarterdeck.machine.spec.provision import ProvisionSpec
from quarterdeck.machine.spec.viewer import ViewerSpec


@dataclass(frozen=True, kw_only=True)
class TopologySpec:
    """How the CPUs are arranged; sockets x dies x cores x threads is their number."""

    __pydantic_config__: ClassVar[Any] = STRICT

    sockets: Count = 1
    dies: Count = 1
    cores: Count = 1
    threads: Count = 1


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
    boot_first: BootFirst = BootFirst.DISK
    """What the firmware tries first where there is both: an installed system, or the disc."""
    boot_bus: DiskBus | None = None
    """Where the drive of the disc that ``boot`` names is plugged in, as ``bus`` of ``cdroms``."""
    fetch: FetchSpec = field(default_factory=FetchSpec)
    cpus: Count | Literal["half", "max"] = 2
    memory: Size | Literal["half", "max"] = 2 << 30
    cpu_model: Text | None = None
    """QEMU's ``-cpu``. Default: ``host`` with KVM, the fullest model without."""
    cpu_flags: tuple[Annotated[str, Field(strict=True, pattern=r"^[+-]?[A-Za-z0-9_.-]+(=[A-Za-z0-9_.-]+)?$", max_length=64)], ...] = ()
    """Added to the CPU model, whichever it is: ``+avx2``, ``-svm``, ``pmu=off``."""
    topology: TopologySpec | None = None
    """How the CPUs are arranged. Default: QEMU's."""
    machine_type: Text | None = None
    """QEMU's ``-machine`` type. Default: the architecture's."""
    machine_options: tuple[Annotated[str, Field(strict=True, pattern=r"^[a-z0-9-]+=[A-Za-z0-9_.-]+$", max_length=100)], ...] = ()
    """Added to the machine type, whichever it is: ``hpet=off``."""
    uuid: Annotated[str, Field(strict=True, pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")] | None = None
    """Default: made from the machine's name, so that it never changes."""
    firmware: Firmware = Firmware.AUTO
    firmware_image: Text | None = None
    """A file of firmware that QEMU loads in place of all others, as its ``-bios``."""
    firmware_variables: Text | None = None
    """A file of UEFI variables that the machine's own begin as. It must be as large as those of the firmware, and is never written."""
    accel: Accel = Accel.AUTO
    disks: tuple[DiskSpec, ...] = ()
    cdroms: tuple[CdromSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = (NetworkSpec(),)
    display: DisplaySpec = field(default_factory=DisplaySpec)
    serial: Flag = True
    agent: Flag = True
    """Offer the guest agent's channel."""
    tpm: Flag = False
    tpm_state: Text | None = None
    """A file of TPM 2.0 state, as swtpm keeps it in one file, that the machine's own begins as. It is never written."""
    rng: Flag = True
    balloon: Flag = True
    """A device by which the guest's unused pages go back to the host by themselves."""
    ballooning: BallooningSpec | None = None
    """Take memory from the guest while the host or the container is short of it; ``{}`` takes all defaults. Default: never."""
    usb: tuple[UsbSpec, ...] = ()
    shares: tuple[ShareSpec, ...] = ()
    provision: ProvisionSpec = field(default_factory=ProvisionSpec)
    viewer: ViewerSpec = field(default_factory=ViewerSpec)
    qemu_args: tuple[Annotated[str, Field(strict=True, max_length=4096)], ...] = ()
    """Further arguments for QEMU, each as its own list item."""
