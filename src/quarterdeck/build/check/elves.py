"""Judges an ELF file by the platform of the image that it is in."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cache

from quarterdeck.binfmt.elf import Header, Kind, arch_of
from quarterdeck.build.check.finding import Key, Severity
from quarterdeck.core.arch import Arch, runs_natively

# e_machine of processors that are no hosts: include/elf/common.h of binutils 2.43.
_DEVICES = {190: "CUDA", 224: "AMD GPU", 247: "eBPF", 205: "Intel GPU"}
# Folders whose files are read and not run, wherever they are in an image.
_DATA = re.compile(
    r"(^|/)(usr/)?lib/firmware/|(^|/)share/(qemu|seabios|openbios|opensbi|ipxe|u-boot)[^/]*/|(^|/)usr/lib/(u-boot|opensbi|ipxe)/|(^|/)testdata/"
)


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a file."""

    key: Key
    severity: Severity
    text: str


def judge(path: str, header: Header | str, arch: Arch, *, strict: bool = False) -> Verdict | None:
    """Return what is wrong or odd about the file at ``path`` in an image for ``arch``, None when nothing is.

    ``header`` is a string, the reason, when the file begins as ELF files do and goes on otherwise. With ``strict``, all programs and
    libraries that are not for ``arch`` are errors.
    """
    if isinstance(header, str):
        return Verdict(Key.ELF_DAMAGED, Severity.NOTE, f"it begins as an ELF file and is none: {header}")
    found = arch_of(header)
    if found == arch or header.kind == Kind.CORE:
        return None
    what = f"made for {describe(header)}, in an image for {arch.name}"
    lenient = Severity.ERROR if strict else Severity.NOTE
    if header.kind not in (Kind.EXECUTABLE, Kind.SHARED):
        return Verdict(Key.ELF_FOREIGN_OBJECT, Severity.NOTE, f"an object that no kernel runs, {what}")
    if header.machine in _DEVICES:
        return Verdict(Key.ELF_FOREIGN_OBJECT, Severity.NOTE, f"a program for a device, {what}")
    if _compatible(header, found, arch):
        return Verdict(Key.ELF_COMPATIBLE, lenient, f"{what}, whose processors run it too")
    if _is_data(path, found):
        return Verdict(Key.ELF_FOREIGN_DATA, lenient, f"{what}; its folder is one for foreign files")
    return Verdict(Key.ELF_WRONG_ARCHITECTURE, Severity.ERROR, what)


def describe(header: Header) -> str:
    """Return the architecture of a file in words."""
    arch = arch_of(header)
    if arch is not None:
        return arch.name
    if header.machine in _DEVICES:
        return _DEVICES[header.machine]
    return f"machine {header.machine} ({header.bits} bits, {'little' if header.little else 'big'} endian)"


def _compatible(header: Header, found: Arch | None, arch: Arch) -> bool:
    """Whether processors of ``arch`` run it: its 32-bit programs, also those with 64-bit registers, as x32."""
    if found is not None:
        return runs_natively(found, arch)
    return (header.machine, header.little) == (arch.elf.machine, arch.elf.little) and header.bits < arch.elf.bits


def _is_data(path: str, found: Arch | None) -> bool:
    """Whether the folder says that its files are foreign: by what it is for, or by naming their architecture."""
    if _DATA.search(path):
        return True
    return found is not None and _names_of(found).search(posixpath.dirname(path).lower()) is not None


@cache
def _names_of(arch: Arch) -> re.Pattern[str]:
    """Return what matches an architecture's names as words: ``aarch64-linux-gnu``, ``linux_arm64``, ``prebuilds/linux-arm64``."""
    oci = arch.oci.split("/")[1] if arch.oci else ""
    names = {name.lower() for name in (arch.name, *arch.aliases, arch.debian, oci) if name and "/" not in name}
    return re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, sorted(names)))})(?![a-z0-9])")
