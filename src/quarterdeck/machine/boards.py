"""What QEMU's machine types offer to plug devices into.

Sources: ``docs/system`` and ``hw/*`` of QEMU 7.2 and 10.0, and each entry started with QEMU 7.2. ``core.arch`` says which
type an architecture uses; a type that is not listed here gets the plain facts of its architecture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quarterdeck.core.arch import Arch, Bus
from quarterdeck.machine.spec import DiskBus

_GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Board:
    """One machine type. Numbers are 0 and texts empty where there is no such thing or no limit is known."""

    types: tuple[str, ...] = ()
    """Names; versioned names (``pc-q35-7.2``) begin with one of these and a dash."""
    transport: Bus = Bus.PCI
    pci_bus: str = ""
    """The bus to plug PCI devices into; empty: QEMU's default one."""
    other_pci_bus: str = ""
    """The bus of the virtio-serial controller, where the first one has too few slots for all."""
    fixed_slots: bool = False
    """Whether the slots of that bus are free for us to choose."""
    sata_bus: str = ""
    """Prefix of the built-in SATA ports' buses; elsewhere a controller is added."""
    ide_channels: int = 0
    cdrom: DiskBus = DiskBus.VIRTIO_SCSI
    isa: bool = False
    pflash: bool = False
    smm: bool = False
    usb: bool = True
    disks: bool = True
    screen: bool = True
    """Whether a graphics device can be plugged in."""
    max_cpus: int = 0
    min_memory: int = 0
    max_memory: int = 0
    memory_step: int = 1 << 20
    tpm: str = ""
    known: bool = True

    @property
    def pci(self) -> bool:
        """Whether PCI devices can be plugged in."""
        return self.transport is Bus.PCI


_Q35 = Board(
    types=("q35", "pc-q35"),
    pci_bus="pcie.0",
    fixed_slots=True,
    sata_bus="ide",
    cdrom=DiskBus.SATA,
    isa=True,
    pflash=True,
    smm=True,
    tpm="tpm-crb",
)
_I440FX = Board(
    types=("pc", "pc-i440fx"), pci_bus="pci.0", fixed_slots=True, ide_channels=2, cdrom=DiskBus.IDE, isa=True, pflash=True, tpm="tpm-crb"
)
_MICROVM = Board(types=("microvm",), transport=Bus.MMIO, usb=False)
_VIRT = Board(types=("virt",), pci_bus="pcie.0", fixed_slots=True, pflash=True, tpm="tpm-tis-device")
_MALTA = Board(types=("malta",), ide_channels=2, cdrom=DiskBus.IDE, max_memory=2 * _GIB)
_POWER = (
    Board(types=("pseries",), pci_bus="pci.0", fixed_slots=True, memory_step=256 << 20, tpm="tpm-spapr"),
    Board(types=("mac99",), ide_channels=2, cdrom=DiskBus.IDE, max_cpus=1, max_memory=2 * _GIB),
)

_BOARDS: dict[str, tuple[Board, ...]] = {
    "x86_64": (_Q35, _I440FX, _MICROVM),
    "i386": (_Q35, _I440FX, _MICROVM),
    "aarch64": (_VIRT,),
    "arm": (_VIRT,),
    "riscv64": (_VIRT,),
    "riscv32": (_VIRT,),
    "loongarch64": (replace(_VIRT, min_memory=_GIB + (1 << 20)),),
    "s390x": (Board(types=("s390-ccw-virtio",), transport=Bus.CCW, usb=False),),
    "ppc64le": _POWER,
    "ppc64": _POWER,
    "ppc": _POWER,
    "mips": (_MALTA,),
    "mipsel": (_MALTA,),
    "mips64": (_MALTA,),
    "mips64el": (_MALTA,),
    "m68k": (Board(types=("virt",), transport=Bus.MMIO, usb=False, max_cpus=1),),
    "sparc64": (
        Board(types=("sun4u",), pci_bus="pciB", other_pci_bus="pciA", ide_channels=2, cdrom=DiskBus.IDE, screen=False, max_cpus=1),
    ),
    "sparc": (Board(types=("SS-5",), transport=Bus.MMIO, usb=False, disks=False, max_cpus=1, max_memory=256 << 20),),
    "alpha": (Board(types=("clipper",), ide_channels=2, cdrom=DiskBus.IDE, max_cpus=4),),
    "hppa": (Board(types=("hppa", "B160L", "C3700"), max_memory=3 * _GIB),),
    "sh4": (Board(types=("r2d",), ide_channels=1, cdrom=DiskBus.IDE, max_cpus=1, max_memory=64 << 20),),
    "sh4eb": (Board(types=("r2d",), ide_channels=1, cdrom=DiskBus.IDE, max_cpus=1, max_memory=64 << 20),),
}


def find_board(arch: Arch, machine_type: str) -> Board:
    """Return what ``machine_type`` of ``arch`` offers; options after a comma do not matter."""
    name = machine_type.partition(",")[0]
    for board in _BOARDS.get(arch.name, ()):
        if name in board.types or any(name.startswith(f"{kind}-") for kind in board.types):
            return board
    return Board(transport=arch.bus, usb=arch.usb, known=False)
