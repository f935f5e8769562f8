"""What is asked of the kernel for one emulator: name, magic, mask, interpreter and flags.

Sources: Documentation/admin-guide/binfmt-misc.rst of Linux (the line, its limits, the flags); scripts/qemu-binfmt-conf.sh of QEMU,
whose masks these are: programs and position-independent ones (e_type 2 and 3) of any operating system ABI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from quarterdeck.core.arch import Arch, ElfHeader

_ABI, _ABI_VERSION, _TYPE, _LENGTH = 7, 8, 16, 20


@dataclass(frozen=True)
class Registration:
    """One entry to be. ``magic`` and ``mask`` have the same length and start at the file's first byte."""

    name: str
    magic: bytes
    mask: bytes
    interpreter: str
    flags: str

    @classmethod
    def of(cls, arch: Arch, interpreter: str, flags: str) -> Self:
        """Return the registration of an emulator for ``arch``; it is called ``qemu-ARCH``, as everywhere."""
        return cls(entry_name(arch), magic_of(arch.elf), mask_of(arch.elf), interpreter, flags)

    def line(self) -> bytes:
        """Return what is written to ``register``, and what a line of binfmt.d is."""
        return f":{self.name}:M::{_escaped(self.magic)}:{_escaped(self.mask)}:{self.interpreter}:{self.flags}".encode()


def entry_name(arch: Arch) -> str:
    """Return the name that entries for ``arch`` have: ``qemu-aarch64``."""
    return f"qemu-{arch.user}"


def magic_of(elf: ElfHeader) -> bytes:
    """Return the bytes that programs of this kind begin with: up to e_machine, or to e_flags where those matter."""
    return elf.example()[: _length(elf)]


def mask_of(elf: ElfHeader) -> bytes:
    """Return which bits of :func:`magic_of` count."""
    mask = bytearray(b"\xff" * _LENGTH)
    mask[_ABI] = 0
    low = _TYPE if elf.little else _TYPE + 1
    mask[low] = 0xFE
    if elf.flags_mask:
        mask[_ABI_VERSION] = 0
        mask += bytes(elf.flags_offset - _LENGTH) + elf.flags_mask.to_bytes(4, elf.order)
    return bytes(mask)


def _length(elf: ElfHeader) -> int:
    return elf.flags_offset + 4 if elf.flags_mask else _LENGTH


def _escaped(content: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in content)
