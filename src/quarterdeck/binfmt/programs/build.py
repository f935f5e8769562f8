"""Programs by architecture and probe."""

from __future__ import annotations

from importlib import import_module

from quarterdeck.binfmt.programs.image import link
from quarterdeck.binfmt.programs.isa import Isa
from quarterdeck.binfmt.programs.probe import EOVERFLOW_STATUS, EXEC_STATUS, Probe
from quarterdeck.binfmt.programs.source import SOURCES
from quarterdeck.core.arch import Arch
from quarterdeck.errors import UsageError

__all__ = ["EOVERFLOW_STATUS", "EXEC_STATUS", "Probe", "back_end", "build", "supported"]

_FAMILIES = {
    "x86": ("x86_64", "i386"),
    "aarch64": ("aarch64", "aarch64_be"),
    "arm": ("arm", "armeb"),
    "riscv": ("riscv64", "riscv32"),
    "ppc": ("ppc", "ppc64", "ppc64le"),
    "s390x": ("s390x",),
    "loongarch": ("loongarch64",),
    "mips": ("mips", "mipsel", "mips64", "mips64el", "mipsn32", "mipsn32el"),
    "sparc": ("sparc", "sparc32plus", "sparc64"),
    "alpha": ("alpha",),
    "hppa": ("hppa",),
    "m68k": ("m68k",),
    "sh4": ("sh4", "sh4eb"),
    "hexagon": ("hexagon",),
    "microblaze": ("microblaze", "microblazeel"),
    "or1k": ("or1k",),
    "xtensa": ("xtensa", "xtensaeb"),
}
"""Which module has the back end for which architectures; it has a function ``back_end(arch)`` that makes an :class:`Isa`."""
_FAMILY_OF = {arch: family for family, arches in _FAMILIES.items() for arch in arches}


def build(arch: Arch, probe: Probe) -> bytes:
    """Return the program as a static ELF executable; the same bytes each time.

    Raises:
        UsageError: there is no such program for this architecture; :func:`supported` says which there are.
    """
    if probe not in supported(arch):
        raise UsageError("no-proof-program", f"there is no program that proves '{probe}' on {arch.name}")
    isa = back_end(arch)
    SOURCES[probe](isa)
    return link(isa)


def supported(arch: Arch) -> frozenset[Probe]:
    """Return the probes that there is a program for and that QEMU's emulator for ``arch`` can pass at all."""
    if arch.name not in _FAMILY_OF:
        return frozenset()
    return frozenset(Probe) - back_end(arch).unsupported


def back_end(arch: Arch) -> Isa:
    """Return an empty program for an architecture that has a family; its module is imported only when it is asked for.

    Raises:
        KeyError: it has none.
    """
    module = import_module(f"quarterdeck.binfmt.programs.{_FAMILY_OF[arch.name]}")
    isa = module.back_end(arch)
    assert isinstance(isa, Isa)
    return isa
