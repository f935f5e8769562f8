"""The words that fields of a spec choose from."""

from __future__ import annotations

from enum import StrEnum


class Firmware(StrEnum):
    """What boots the guest."""

    AUTO = "auto"
    UEFI = "uefi"
    UEFI_SECURE = "uefi-secure"
    BIOS = "bios"


class BootFirst(StrEnum):
    """What the firmware tries first."""

    DISK = "disk"
    CDROM = "cdrom"


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

    ``auto`` is the best of the next three that works and that needs no rules in the kernel of a host: ``tap`` only inside a container.
    ``user`` is QEMU's built-in NAT and needs no privilege; ``passt`` is the passt helper; ``tap`` is a network of the machine's own
    behind this host's, or with ``interface`` a tap device that exists already; ``bridge`` asks qemu-bridge-helper for a port on a
    host bridge; ``macvtap`` gives the card an address of its own on the network that ``interface`` is plugged into.
    """

    AUTO = "auto"
    USER = "user"
    PASST = "passt"
    TAP = "tap"
    BRIDGE = "bridge"
    MACVTAP = "macvtap"
    NONE = "none"


class DisplayKind(StrEnum):
    """How the guest's screen is carried."""

    VNC = "vnc"
    SPICE = "spice"
    NONE = "none"


class Pointer(StrEnum):
    """What moves the guest's pointer: a tablet follows the viewer's, a mouse has to be caught."""

    TABLET = "tablet"
    MOUSE = "mouse"
    NONE = "none"


class ViewerTls(StrEnum):
    """How the web console speaks HTTPS: not, with a certificate made here, or with a given one."""

    OFF = "off"
    GENERATED = "generated"
    FILES = "files"


class ShareKind(StrEnum):
    """How a folder of the host is shared with the guest."""

    AUTO = "auto"
    VIRTIOFS = "virtiofs"
    P9 = "9p"
