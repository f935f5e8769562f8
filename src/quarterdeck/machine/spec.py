"""MachineSpec: what a user wants, before anything about the host is known.

Frozen dataclasses; pydantic validates them at the edge (``load.py``) and ``qd schema`` prints their JSON
Schema. Each field has a default that gives a useful machine, so that ``boot: debian`` is a whole spec.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from quarterdeck.machine.fields import Count, DomainName, Flag, HostName, LongText, Mac, Name, Size, Text, UserName

_STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}


class Firmware(StrEnum):
    """What boots the guest."""

    AUTO = "auto"
    UEFI = "uefi"
    UEFI_SECURE = "uefi-secure"
    BIOS = "bios"


class Accel(StrEnum):
    """What executes the guest's instructions. ``kvm`` demands KVM, ``auto`` takes it where it is proved."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


class DiskBus(StrEnum):
    """The controller that a disk is attached to."""

    VIRTIO_BLK = "virtio-blk"
    VIRTIO_SCSI = "virtio-scsi"
    SATA = "sata"
    IDE = "ide"
    NVME = "nvme"
    USB = "usb"


class DiskFormat(StrEnum):
    """The format of a disk that Quarterdeck creates."""

    QCOW2 = "qcow2"
    RAW = "raw"


class Cache(StrEnum):
    """QEMU's cache modes, qemu(1) ``-drive cache=``."""

    NONE = "none"
    WRITEBACK = "writeback"
    WRITETHROUGH = "writethrough"
    DIRECTSYNC = "directsync"
    UNSAFE = "unsafe"


class Aio(StrEnum):
    """How QEMU reads and writes the image file."""

    AUTO = "auto"
    THREADS = "threads"
    NATIVE = "native"
    IO_URING = "io_uring"


class NetworkMode(StrEnum):
    """How a network card reaches the world.

    ``user`` is QEMU's built-in NAT and needs no privilege; ``passt`` is the passt helper; ``tap`` uses a
    tap device that exists already; ``bridge`` asks qemu-bridge-helper for a port on a host bridge.
    """

    USER = "user"
    PASST = "passt"
    TAP = "tap"
    BRIDGE = "bridge"
    NONE = "none"


class DisplayKind(StrEnum):
    """How the guest's screen is carried."""

    VNC = "vnc"
    SPICE = "spice"
    NONE = "none"


class ShareKind(StrEnum):
    """How a folder of the host is shared with the guest."""

    AUTO = "auto"
    VIRTIOFS = "virtiofs"
    P9 = "9p"


@dataclass(frozen=True, kw_only=True)
class DiskSpec:
    """One disk. The first disk is the one the machine boots from; ``boot`` fills it."""

    __pydantic_config__: ClassVar[Any] = _STRICT

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


@dataclass(frozen=True, kw_only=True)
class CdromSpec:
    """One optical drive with an ISO image in it, or empty."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    image: Text | None = None
    bus: DiskBus | None = None
    """sata, ide, usb or virtio-scsi. Default: what the machine type has."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """One network card."""

    __pydantic_config__: ClassVar[Any] = _STRICT

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


@dataclass(frozen=True, kw_only=True)
class DisplaySpec:
    """The guest's screen."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    kind: DisplayKind = DisplayKind.VNC
    device: Text | None = None
    """QEMU device, such as virtio-vga or VGA. Default: what the architecture shows a console on."""
    resolution: Annotated[str, Field(strict=True, pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$")] | None = None
    """Preferred size as WIDTHxHEIGHT."""


@dataclass(frozen=True, kw_only=True)
class UsbSpec:
    """A USB device of the host that is handed to the guest; by identity or by place."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    vendor: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)] | None = None
    product: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)] | None = None
    bus: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None
    port: Annotated[str, Field(strict=True, pattern=r"^\d+(\.\d+)*$")] | None = None


@dataclass(frozen=True, kw_only=True)
class ShareSpec:
    """A folder of the host that the guest can mount by its tag."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    path: Text
    tag: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_.-]{1,31}$")] = "shared"
    kind: ShareKind = ShareKind.AUTO
    read_only: Flag = False


@dataclass(frozen=True, kw_only=True)
class FileSpec:
    """A file that the first boot writes into the guest."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    path: Annotated[str, Field(strict=True, pattern=r"^/[^\x00\n]*$", max_length=4096)]
    content: LongText
    owner: Annotated[str, Field(strict=True, pattern=r"^[a-z_][a-z0-9_-]*(:[a-z_][a-z0-9_-]*)?$")] = "root:root"
    mode: Annotated[str, Field(strict=True, pattern=r"^0[0-7]{3,4}$")] = "0644"


@dataclass(frozen=True, kw_only=True)
class ProvisionSpec:
    """What the first boot sets up inside the guest. Needs an image with cloud-init or Ignition, such as Quarterdeck's own."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    user: UserName | None = None
    """The login that is made, with sudo. Default: the image's own name for it, ``debian`` for Debian."""
    password: Annotated[str, Field(strict=True, min_length=1, max_length=256)] | None = None
    """Default: a generated one, shown when the machine runs, unless ``ssh_keys`` are given."""
    ssh_keys: tuple[Text, ...] = ()
    """Public keys, or paths of files that hold them."""
    hostname: HostName | None = None
    """Default: the machine's name."""
    packages: tuple[Text, ...] = ()
    files: tuple[FileSpec, ...] = ()
    commands: tuple[Text | tuple[Text, ...], ...] = ()
    """Run once as root at the end of the first boot: a line for the guest's shell, or a list of arguments."""
    user_data: LongText | None = None
    """Your own user-data, as text or the path of a file. cloud-config is merged with what the fields above say: mappings are merged,
    lists joined, and other values replace. Everything else that cloud-init reads, such as a script, goes beside it. For an image with
    Ignition it is an Ignition config, which Ignition merges."""
    vendor_data: LongText | None = None
    """cloud-init's vendor-data, as text or the path of a file."""
    network_config: LongText | None = None
    """cloud-init's network-config, as text or the path of a file. Default: DHCP on all cards."""


@dataclass(frozen=True, kw_only=True)
class ViewerSpec:
    """Where the web console listens."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    address: Annotated[str, Field(strict=True, min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None
    """Default: 8006, or the next free one. 0 takes any free one."""
    names: tuple[DomainName, ...] = ()
    """Further host names that browsers reach it by, such as that of a reverse proxy; others are refused against DNS rebinding."""
    enabled: Flag = True


@dataclass(frozen=True, kw_only=True)
class FetchSpec:
    """How what ``boot`` names is fetched and unpacked."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    checksum: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9-]{2,10}[:=][0-9A-Fa-f]{32,128}$")] | None = None
    """What the file must be, as ``sha256:VALUE``; also sha512, b2, sha1 and md5."""
    unverified: Flag = False
    """Take what neither a checksum nor a signature proves. It is recorded."""
    member: Text | None = None
    """Which image of an archive that holds several."""
    catalogue: tuple[Text, ...] = ()
    """Folders of catalogue entries, or https URLs of one file of them, over the user's own and those that come with Quarterdeck."""


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """A whole machine."""

    __pydantic_config__: ClassVar[Any] = _STRICT

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
