"""ResolvedMachine: every decision made, nothing left to guess; and the command composed of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.core.arch import Arch, FirmwareKind
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.process import Identity
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import Aio, Cache, DiskBus, DisplayKind, NetworkMode, Pointer, ShareKind, TopologySpec


class Accelerator(StrEnum):
    """What executes the guest's instructions."""

    KVM = "kvm"
    TCG = "tcg"


@dataclass(frozen=True)
class Choice:
    """One decision, for ``qd explain``: what was decided, the value, and why in one line."""

    what: str
    value: str
    why: str


class DiskOrigin(StrEnum):
    """How the runtime makes the file that QEMU opens, when it does not exist yet."""

    OVERLAY = "overlay"
    BLANK = "blank"
    IN_PLACE = "in-place"


@dataclass(frozen=True, kw_only=True)
class ResolvedDisk:
    """One disk. ``base`` is what an overlay stands on; ``size`` is in bytes."""

    id: str
    path: str
    format: str
    origin: DiskOrigin
    size: int
    base: ImageFile | None
    bus: DiskBus
    cache: Cache
    aio: Aio
    io_thread: bool
    discard: bool
    read_only: bool
    serial: str
    boot_index: int
    device: bool = False
    """Whether ``path`` is a block device of the host."""
    rotation: int | None = None
    preallocate: bool = False
    format_options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ResolvedCdrom:
    """One optical drive. ``image`` is None for an empty one; ``boot_index`` is 0 when nothing boots from it."""

    id: str
    image: ImageFile | None
    bus: DiskBus
    boot_index: int


@dataclass(frozen=True)
class PortForward:
    """A range of ``count`` ports: host ``address``:``host`` + i leads to guest port ``guest`` + i."""

    address: str
    host: int
    guest: int
    protocol: str = "tcp"
    count: int = 1


@dataclass(frozen=True)
class KeptPorts:
    """A range of ``count`` ports that stay with the host; an empty ``protocol`` means TCP and UDP."""

    first: int
    count: int = 1
    protocol: str = ""

    @property
    def last(self) -> int:
        """The last port of the range."""
        return self.first + self.count - 1


@dataclass(frozen=True, kw_only=True)
class OwnNetwork:
    """A network that we make for one card: our end and the guest's, IPv4 and IPv6 with their prefixes' lengths.

    ``gateway6`` and ``guest6`` are empty where there is no IPv6.
    """

    gateway4: str
    guest4: str
    prefix4: int
    gateway6: str = ""
    guest6: str = ""
    prefix6: int = 64


@dataclass(frozen=True, kw_only=True)
class ResolvedNetwork:
    """One network card.

    ``interface`` is a device or bridge that exists; ``link`` the name of the device that we make for this card, empty when we make none;
    ``own`` the network around it. ``keep`` are the ports that ``forward_all`` leaves alone.
    """

    id: str
    mode: NetworkMode
    device: str
    mac: str
    ports: tuple[PortForward, ...]
    interface: str
    mtu: int | None
    link: str = ""
    vhost: bool = False
    own: OwnNetwork | None = None
    forward_all: bool = False
    keep: tuple[KeptPorts, ...] = ()


@dataclass(frozen=True)
class ResolvedFirmware:
    """What boots: absolute paths.

    ``variables`` is the machine's own copy, made of ``variables_template``, or of ``begins_as`` where the spec names a file for it.
    """

    kind: FirmwareKind
    code: str
    variables_template: str
    variables: str
    begins_as: str = ""


@dataclass(frozen=True)
class ResolvedDisplay:
    """The screen; ``width`` and ``height`` are 0 when the guest decides.

    ``port`` is SPICE's TCP port, None for a Unix socket; ``tls`` the folder of its certificate, empty for none.
    """

    kind: DisplayKind
    device: str
    width: int = 0
    height: int = 0
    pointer: Pointer = Pointer.TABLET
    address: str = ""
    port: int | None = None
    tls: str = ""
    gpu: str = ""
    """The render node that draws; empty: the guest's processor does."""


@dataclass(frozen=True)
class ResolvedUsb:
    """A host USB device: ``-1`` and empty mean not given."""

    vendor: int
    product: int
    bus: int
    port: str


@dataclass(frozen=True)
class ResolvedShare:
    """A shared folder: absolute path."""

    id: str
    path: str
    tag: str
    kind: ShareKind
    read_only: bool


@dataclass(frozen=True, kw_only=True)
class ResolvedMachine:
    """A machine with every decision made. ``memory`` is in bytes; ``firmware`` is None where QEMU's built-in one boots."""

    name: str
    uuid: str
    arch: Arch
    layout: MachineLayout
    qemu: str
    qemu_version: tuple[int, int, int]
    identity: Identity | None
    accelerator: Accelerator
    machine_type: str
    machine_options: tuple[str, ...] = ()
    cpu_model: str
    cpus: int
    topology: TopologySpec | None = None
    memory: int
    firmware: ResolvedFirmware | None
    kernel: KernelBoot | None
    disks: tuple[ResolvedDisk, ...]
    cdroms: tuple[ResolvedCdrom, ...]
    networks: tuple[ResolvedNetwork, ...]
    display: ResolvedDisplay
    serial: bool
    agent: bool
    tpm: bool
    tpm_state: str = ""
    """A file that the TPM's own state begins as; empty: it begins as new."""
    rng: bool
    balloon: bool
    panic_device: str = ""
    """Device by which a panicking guest tells QEMU; empty: there is none."""
    usb: tuple[ResolvedUsb, ...]
    shares: tuple[ResolvedShare, ...]
    tools: tuple[tuple[str, str], ...]
    qemu_args: tuple[str, ...]
    seed: bool
    ignition: bool
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Sidecar:
    """A helper program that must run before QEMU: its argument list and the socket that shows it is ready.

    A ``privileged`` one is started as we are, because it needs rights that QEMU's user has not, and gives them up itself; what
    shows that it is ready is then an ordinary file.
    """

    name: str
    argv: tuple[str, ...]
    socket: str
    privileged: bool = False


@dataclass(frozen=True)
class Descriptor:
    """A file that the launcher opens and hands to QEMU as ``/dev/fdset/NUMBER``, since QEMU's user may not open it.

    An ``exclusive`` one is a block device that nobody else may use, by mount or otherwise, while QEMU has it.
    """

    number: int
    path: str
    writable: bool
    exclusive: bool = False


@dataclass(frozen=True)
class QemuCommand:
    """The whole command: ``argv[0]`` is the emulator. ``sockets`` maps roles to the Unix sockets that QEMU listens on.

    Words that :func:`quarterdeck.machine.devices.network.fd_word` makes stand for descriptors of network devices, which the launcher opens.
    """

    argv: tuple[str, ...]
    sidecars: tuple[Sidecar, ...]
    descriptors: tuple[Descriptor, ...]
    sockets: tuple[tuple[str, str], ...]
