"""The one table of architectures.

Everything that differs between architectures and is a plain fact stands here, and nowhere else: names in
QEMU, OCI and Debian, the machine that QEMU plays, firmware files, consoles, and the ELF header that
binfmt_misc matches. Sources: QEMU 7.2 and 10.0 documentation (docs/system), ``qemu-system-* -machine help``,
the OCI image specification (GOARCH, GOARM), Debian's ``dpkg-architecture -L``, ELF e_machine numbers of
the psABI documents, UEFI specification 2.10 section 3.5.1.1 (removable media boot file names).
"""

from __future__ import annotations

import difflib
import platform
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from quarterdeck.errors import UsageError

_EXECUTABLE = 2
"""ET_EXEC of elf(5)."""


class FirmwareKind(StrEnum):
    """What runs before the guest's boot loader."""

    BIOS = "bios"
    UEFI = "uefi"
    UEFI_SECURE = "uefi-secure"


@dataclass(frozen=True)
class FirmwareFile:
    """A firmware image pair that distributions install: code (read-only) and variables template.

    ``variables`` is empty where the code is loaded with ``-bios`` and keeps no variables. ``debian`` is the
    first Debian release that has ``package``, 0 when releases before Debian 12 had it or Debian does not.
    """

    kind: FirmwareKind
    code: str
    variables: str
    package: str
    debian: int = 0


class Bus(StrEnum):
    """How virtio devices attach: decides the device names' suffix, such as ``virtio-blk-ccw``."""

    PCI = "pci"
    CCW = "ccw"
    MMIO = "device"


@dataclass(frozen=True)
class ElfHeader:
    """What the ELF header of a program of this architecture says.

    ``bits`` is 32 or 64, ``machine`` is e_machine; ``flags`` and ``flags_mask`` narrow e_flags where
    e_machine alone is not enough (MIPS ABIs).
    """

    bits: int
    little: bool
    machine: int
    flags: int = 0
    flags_mask: int = 0

    @property
    def order(self) -> Literal["little", "big"]:
        """Byte order of the header's numbers and of the architecture's data."""
        return "little" if self.little else "big"

    @property
    def flags_offset(self) -> int:
        """Where e_flags stands, in bytes from the beginning of the file; layout: elf(5)."""
        return 48 if self.bits == 64 else 36

    def example(self) -> bytes:
        """Return the first 64 bytes of an executable of this kind, as far as they tell architectures apart."""
        ident = b"\x7fELF" + bytes([self.bits // 32, 1 if self.little else 2, 1]) + bytes(9)
        head = ident + _EXECUTABLE.to_bytes(2, self.order) + self.machine.to_bytes(2, self.order) + (1).to_bytes(4, self.order)
        return (head.ljust(self.flags_offset, b"\x00") + self.flags.to_bytes(4, self.order)).ljust(64, b"\x00")


@dataclass(frozen=True, kw_only=True)
class Arch:
    """One architecture. Empty strings mean that there is no such thing."""

    name: str
    aliases: tuple[str, ...] = ()
    oci: str = ""
    """OCI platform, ``os/arch[/variant]``."""
    debian: str = ""
    debian_kernel: str = ""
    """Debian's kernel package for virtual machines."""
    system: str = ""
    """Suffix of ``qemu-system-``."""
    package: str = ""
    """Debian package of the system emulator."""
    package_debian13: str = ""
    """The same since Debian 13, where it differs."""
    machine: str = ""
    """QEMU machine type used by default; :meth:`machine_type` knows its name in other versions of QEMU."""
    machine_renamed: tuple[tuple[int, int], str] | None = None
    """Version of QEMU since which that machine type has another name, and the name."""
    tcg_cpu: str = "max"
    kvm_flags: tuple[str, ...] = ()
    """Flags in /proc/cpuinfo of which one must be there for hardware virtualisation; empty: none is defined."""
    parallel_tcg_since: tuple[int, int, int] = (0, 0, 0)
    """First QEMU version that may emulate several CPUs of this architecture in threads of their own. Before it, x86 kernels that
    patch their own code on one CPU were seen to die of ``Oops: int3`` on another (QEMU 7.2.22, Linux 6.12; not seen with 10.0)."""
    runs_on: tuple[str, ...] = ()
    """Other architectures whose processors run this one natively."""
    bus: Bus = Bus.PCI
    firmware: tuple[FirmwareFile, ...] = ()
    efi_boot_file: str = ""
    display_device: str = ""
    """Graphics device that firmware and kernel both show a console on."""
    serial_console: str = ""
    """Linux's name of the first serial port."""
    user: str = ""
    """Suffix of the user-mode emulator, ``qemu-NAME``."""
    elf: ElfHeader = field(default=ElfHeader(0, True, 0))
    usb: bool = True
    """Whether a USB controller can be plugged in (no: s390x)."""

    def machine_type(self, version: tuple[int, ...]) -> str:
        """Return the default machine type as QEMU ``version`` (major, minor, ...) calls it."""
        if self.machine_renamed is not None and version[:2] >= self.machine_renamed[0]:
            return self.machine_renamed[1]
        return self.machine


def _ovmf() -> tuple[FirmwareFile, ...]:
    secure, uefi = FirmwareKind.UEFI_SECURE, FirmwareKind.UEFI
    return (
        FirmwareFile(uefi, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "ovmf"),
        FirmwareFile(uefi, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", "ovmf"),
        FirmwareFile(uefi, "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd", "edk2-ovmf"),
        FirmwareFile(secure, "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "ovmf"),
        FirmwareFile(secure, "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.secboot.fd", "edk2-ovmf"),
    )


_SEABIOS = FirmwareFile(FirmwareKind.BIOS, "/usr/share/seabios/bios-256k.bin", "", "seabios")

_X86_FLAGS = ("vmx", "svm")

ARCHES: tuple[Arch, ...] = (
    Arch(
        name="x86_64", aliases=("amd64", "x64", "x86-64"), oci="linux/amd64", debian="amd64", debian_kernel="linux-image-amd64",
        system="x86_64", package="qemu-system-x86", machine="q35", kvm_flags=_X86_FLAGS, parallel_tcg_since=(10, 0, 0),
        firmware=(*_ovmf(), _SEABIOS), efi_boot_file="BOOTX64.EFI", display_device="virtio-vga",
        serial_console="ttyS0", user="x86_64", elf=ElfHeader(64, True, 62),
    ),
    Arch(
        name="i386", aliases=("i686", "x86", "386"), oci="linux/386", debian="i386", debian_kernel="linux-image-686-pae",
        system="i386", package="qemu-system-x86", machine="q35", kvm_flags=_X86_FLAGS, parallel_tcg_since=(10, 0, 0), runs_on=("x86_64",),
        firmware=(
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/OVMF/OVMF32_CODE_4M.fd", "/usr/share/OVMF/OVMF32_VARS_4M.fd", "ovmf-ia32"),
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF32_VARS_4M.fd", "ovmf-ia32"),
            _SEABIOS,
        ),
        efi_boot_file="BOOTIA32.EFI", display_device="virtio-vga", serial_console="ttyS0", user="i386", elf=ElfHeader(32, True, 3),
    ),
    Arch(
        name="aarch64", aliases=("arm64", "armv8", "linux/arm64/v8"), oci="linux/arm64", debian="arm64", debian_kernel="linux-image-arm64",
        system="aarch64", package="qemu-system-arm", machine="virt", tcg_cpu="max,pauth-impdef=on",
        firmware=(
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", "qemu-efi-aarch64"),
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", "qemu-efi-aarch64"),
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/edk2/aarch64/QEMU_EFI.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd", "edk2-aarch64"),
            FirmwareFile(FirmwareKind.UEFI_SECURE, "/usr/share/AAVMF/AAVMF_CODE.ms.fd", "/usr/share/AAVMF/AAVMF_VARS.ms.fd", "qemu-efi-aarch64"),
        ),
        efi_boot_file="BOOTAA64.EFI", display_device="virtio-gpu-pci", serial_console="ttyAMA0", user="aarch64", elf=ElfHeader(64, True, 183),
    ),
    Arch(
        name="arm", aliases=("armhf", "armv7", "armv7l", "arm32", "linux/arm"), oci="linux/arm/v7", debian="armhf", debian_kernel="linux-image-armmp-lpae",
        system="arm", package="qemu-system-arm", machine="virt", runs_on=("aarch64",),
        firmware=(FirmwareFile(FirmwareKind.UEFI, "/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd", "qemu-efi-arm"),),
        efi_boot_file="BOOTARM.EFI", display_device="virtio-gpu-pci", serial_console="ttyAMA0", user="arm", elf=ElfHeader(32, True, 40),
    ),
    Arch(
        name="riscv64", aliases=("riscv", "rv64"), oci="linux/riscv64", debian="riscv64", debian_kernel="linux-image-riscv64",
        system="riscv64", package="qemu-system-misc", package_debian13="qemu-system-riscv", machine="virt", tcg_cpu="rv64",
        firmware=(
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd", "/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd", "qemu-efi-riscv64", debian=13),
        ),
        efi_boot_file="BOOTRISCV64.EFI", display_device="virtio-gpu-pci", serial_console="ttyS0", user="riscv64", elf=ElfHeader(64, True, 243),
    ),
    Arch(
        name="ppc64le", aliases=("ppc64el", "powerpc64le"), oci="linux/ppc64le", debian="ppc64el", debian_kernel="linux-image-powerpc64le",
        system="ppc64", package="qemu-system-ppc", machine="pseries", tcg_cpu="power9",
        display_device="VGA", serial_console="hvc0", user="ppc64le", elf=ElfHeader(64, True, 21),
    ),
    Arch(
        name="s390x", aliases=("s390",), oci="linux/s390x", debian="s390x", debian_kernel="linux-image-s390x",
        system="s390x", package="qemu-system-misc", package_debian13="qemu-system-s390x", machine="s390-ccw-virtio", kvm_flags=("sie",), bus=Bus.CCW,
        display_device="virtio-gpu-ccw", serial_console="ttysclp0", user="s390x", elf=ElfHeader(64, False, 22), usb=False,
    ),
    Arch(
        name="loongarch64", aliases=("loong64", "loongarch"), oci="linux/loong64", debian="loong64", debian_kernel="linux-image-loong64",
        system="loongarch64", package="qemu-system-misc", machine="virt", tcg_cpu="la464", kvm_flags=("lvz",),
        firmware=(
            FirmwareFile(FirmwareKind.UEFI, "/usr/share/qemu-efi-loongarch64/QEMU_EFI.fd", "/usr/share/qemu-efi-loongarch64/QEMU_VARS.fd", "qemu-efi-loongarch64", debian=13),
        ),
        efi_boot_file="BOOTLOONGARCH64.EFI", display_device="virtio-gpu-pci", serial_console="ttyS0", user="loongarch64", elf=ElfHeader(64, True, 258),
    ),
    Arch(
        name="mips64el", aliases=("mips64le",), oci="linux/mips64le", debian="mips64el", debian_kernel="linux-image-5kc-malta",
        system="mips64el", package="qemu-system-mips", machine="malta", tcg_cpu="5KEc",
        display_device="VGA", serial_console="ttyS0", user="mips64el", elf=ElfHeader(64, True, 8),
    ),
    Arch(
        name="mips64", oci="linux/mips64", system="mips64", package="qemu-system-mips", machine="malta", tcg_cpu="5KEc",
        display_device="VGA", serial_console="ttyS0", user="mips64", elf=ElfHeader(64, False, 8),
    ),
    Arch(
        name="mipsel", aliases=("mipsle",), oci="linux/mipsle", debian="mipsel", debian_kernel="linux-image-4kc-malta",
        system="mipsel", package="qemu-system-mips", machine="malta", tcg_cpu="24Kf", runs_on=("mips64el",),
        display_device="VGA", serial_console="ttyS0", user="mipsel", elf=ElfHeader(32, True, 8, 0x00, 0x20),
    ),
    Arch(
        name="mips", oci="linux/mips", system="mips", package="qemu-system-mips", machine="malta", tcg_cpu="24Kf", runs_on=("mips64",),
        display_device="VGA", serial_console="ttyS0", user="mips", elf=ElfHeader(32, False, 8, 0x00, 0x20),
    ),
    Arch(
        name="mipsn32el", user="mipsn32el", runs_on=("mips64el",), elf=ElfHeader(32, True, 8, 0x20, 0x20),
    ),
    Arch(
        name="mipsn32", user="mipsn32", runs_on=("mips64",), elf=ElfHeader(32, False, 8, 0x20, 0x20),
    ),
    Arch(
        name="ppc64", aliases=("powerpc64",), oci="linux/ppc64", debian="ppc64", debian_kernel="linux-image-powerpc64",
        system="ppc64", package="qemu-system-ppc", machine="pseries", tcg_cpu="power9",
        display_device="VGA", serial_console="hvc0", user="ppc64", elf=ElfHeader(64, False, 21),
    ),
    Arch(
        name="ppc", aliases=("powerpc",), debian="powerpc", debian_kernel="linux-image-powerpc",
        system="ppc", package="qemu-system-ppc", machine="mac99", tcg_cpu="g4", runs_on=("ppc64",),
        display_device="VGA", serial_console="ttyPZ0", user="ppc", elf=ElfHeader(32, False, 20),
    ),
    Arch(
        name="riscv32", aliases=("rv32",), system="riscv32", package="qemu-system-misc", package_debian13="qemu-system-riscv", machine="virt", tcg_cpu="rv32",
        display_device="virtio-gpu-pci", serial_console="ttyS0", user="riscv32", elf=ElfHeader(32, True, 243),
    ),
    Arch(
        name="sparc64", oci="linux/sparc64", debian="sparc64", debian_kernel="linux-image-sparc64", system="sparc64", package="qemu-system-sparc",
        machine="sun4u", tcg_cpu="TI-UltraSparc-IIi", serial_console="ttyS0", user="sparc64", elf=ElfHeader(64, False, 43),
    ),
    Arch(
        name="sparc", system="sparc", package="qemu-system-sparc", machine="SS-5", tcg_cpu="Fujitsu-MB86904",
        serial_console="ttyS0", user="sparc", elf=ElfHeader(32, False, 2), usb=False,
    ),
    Arch(name="sparc32plus", user="sparc32plus", runs_on=("sparc64",), elf=ElfHeader(32, False, 18)),
    Arch(
        name="alpha", debian="alpha", debian_kernel="linux-image-alpha-generic", system="alpha", package="qemu-system-misc",
        machine="clipper", tcg_cpu="ev67", display_device="VGA", serial_console="ttyS0", user="alpha", elf=ElfHeader(64, True, 0x9026),
    ),
    Arch(
        name="hppa", debian="hppa", debian_kernel="linux-image-parisc", system="hppa", package="qemu-system-misc",
        machine="hppa", machine_renamed=((8, 2), "B160L"), tcg_cpu="hppa", serial_console="ttyS0", user="hppa", elf=ElfHeader(32, False, 15),
    ),
    Arch(
        name="m68k", debian="m68k", debian_kernel="linux-image-m68k", system="m68k", package="qemu-system-misc",
        machine="virt", tcg_cpu="m68040", bus=Bus.MMIO, serial_console="ttyGF0", user="m68k", elf=ElfHeader(32, False, 4), usb=False,
    ),
    Arch(
        name="sh4", debian="sh4", debian_kernel="linux-image-sh7751r", system="sh4", package="qemu-system-misc",
        machine="r2d", tcg_cpu="sh7751r", serial_console="ttySC1", user="sh4", elf=ElfHeader(32, True, 42),
    ),
    Arch(name="sh4eb", system="sh4eb", package="qemu-system-misc", machine="r2d", tcg_cpu="sh7751r", serial_console="ttySC1", user="sh4eb", elf=ElfHeader(32, False, 42)),
    Arch(name="aarch64_be", aliases=("arm64be",), user="aarch64_be", elf=ElfHeader(64, False, 183)),
    Arch(name="armeb", aliases=("armbe",), user="armeb", elf=ElfHeader(32, False, 40)),
    Arch(name="hexagon", user="hexagon", elf=ElfHeader(32, True, 164)),
    Arch(name="microblaze", user="microblaze", elf=ElfHeader(32, False, 189)),
    Arch(name="microblazeel", user="microblazeel", elf=ElfHeader(32, True, 189)),
    Arch(name="or1k", user="or1k", elf=ElfHeader(32, False, 92)),
    Arch(name="xtensa", user="xtensa", elf=ElfHeader(32, True, 94)),
    Arch(name="xtensaeb", user="xtensaeb", elf=ElfHeader(32, False, 94)),
)

_BY_NAME = {alias: arch for arch in ARCHES for alias in (arch.name, *arch.aliases, arch.debian, arch.oci) if alias}


def find_arch(name: str) -> Arch:
    """Return the architecture called ``name`` by QEMU, Debian, OCI or the kernel.

    Raises:
        UsageError: no such architecture; the hint names close ones.
    """
    arch = _BY_NAME.get(name.strip().lower())
    if arch is None:
        close = difflib.get_close_matches(name.lower(), _BY_NAME, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(a.name for a in ARCHES)}"
        raise UsageError("unknown-arch", f"there is no architecture '{name}'", hint=hint)
    return arch


def host_arch() -> Arch:
    """Return the architecture of the kernel that we run on."""
    return find_arch(platform.machine())


def runs_natively(guest: Arch, host: Arch) -> bool:
    """Whether ``host``'s processor runs ``guest``'s programs and, with KVM, its systems."""
    return guest.name == host.name or host.name in guest.runs_on
