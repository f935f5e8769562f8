"""What goes into a Debian guest. Everything here that changes a guest also changes the image's key, through its hash."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from quarterdeck.core.arch import Arch
from quarterdeck.media.debian import guest_files
from quarterdeck.media.debian.mirror import Mirror
from quarterdeck.media.debian.overlay import OverlayFile, to_tar

LOGIN = "debian"
ENTRY_TOKEN = "debian"  # noqa: S105 - the name of boot entries, kernel-install(8)
VIRTUAL_SIZE = 4 << 30
ESP_SIZE = 256 << 20
_VERSION = 3
"""Raise it when how the disk is put together changes."""

_PACKAGES = (
    "ca-certificates",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "initramfs-tools",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "login",
    "nano",
    "netbase",
    "openssh-server",
    "procps",
    "qemu-guest-agent",
    "sudo",
    "systemd",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
    "zstd",
)


@dataclass(frozen=True)
class DiskIds:
    """How the guest finds its file systems: ext4 UUID, FAT serial number as 8 hexadecimal digits."""

    root: str
    esp: str


@dataclass(frozen=True)
class Recipe:
    """One Debian guest, fully decided."""

    suite: str
    arch: Arch
    mirror: Mirror
    packages: tuple[str, ...]
    early: tuple[OverlayFile, ...]
    late: tuple[OverlayFile, ...]
    cmdline: str
    ids: DiskIds

    @property
    def uefi(self) -> bool:
        """Whether the disk gets a boot loader; other architectures boot by a kernel given to QEMU."""
        return bool(self.arch.efi_boot_file)

    @property
    def key(self) -> str:
        """The name of the image in the store: readable, and different for each different content."""
        parts = (
            str(_VERSION),
            self.mirror.main,
            " ".join(self.packages),
            self.cmdline,
            to_tar(self.early).hex(),
            to_tar(self.late).hex(),
            str(VIRTUAL_SIZE),
        )
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return f"debian-{self.suite}-{self.arch.name}-{digest[:12]}"


def make_recipe(suite: str, arch: Arch, mirror: Mirror) -> Recipe:
    """Return the recipe of ``suite`` (a codename) for ``arch``."""
    loader = ("systemd-boot",) if arch.efi_boot_file else ()
    # Debian 12 has systemd-repart inside systemd.
    repart = () if suite == "bookworm" else ("systemd-repart",)
    ids = _disk_ids(suite, arch)
    root = f"root=UUID={ids.root} rw"
    return Recipe(
        suite=suite,
        arch=arch,
        mirror=mirror,
        packages=tuple(sorted((*_PACKAGES, arch.debian_kernel, *loader, *repart))),
        early=guest_files.early(f"{root} {consoles(arch)}", ENTRY_TOKEN),
        late=guest_files.late(
            guest_files.Sources(mirror.main, mirror.security, suite), root=ids.root, esp=ids.esp if arch.efi_boot_file else ""
        ),
        cmdline=root,
        ids=ids,
    )


def consoles(arch: Arch) -> str:
    """Return the kernel's console arguments: the screen, and the serial port, which the last one makes /dev/console."""
    return f"console=tty0 console={arch.serial_console}"


def _disk_ids(suite: str, arch: Arch) -> DiskIds:
    """The same at every build, so that a kernel and its command line fit any build of the same suite."""
    root = uuid.uuid5(uuid.NAMESPACE_URL, f"quarterdeck:debian:{suite}:{arch.name}")
    return DiskIds(str(root), root.hex[:8].upper())
