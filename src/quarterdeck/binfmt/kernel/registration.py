"""What is asked of the kernel for one emulator: name, magic, mask, interpreter and flags.

Sources: Documentation/admin-guide/binfmt-misc.rst of Linux (the line, its limits, the flags); scripts/qemu-binfmt-conf.sh of QEMU,
whose masks these are: programs and position-independent ones (e_type 2 and 3) of any operating system ABI.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from quarterdeck.core.arch import Arch, ElfHeader
from quarterdeck.errors import UsageError
from quarterdeck.host.binfmt_misc import CONTROL_FILES, Entry

LINE_LIMIT = 1920
"""Bytes that the kernel reads of one line."""
_ABI, _ABI_VERSION, _TYPE, _LENGTH = 7, 8, 16, 20
_DELIMITERS = ":|;,!~"
_FLAGS = "POCF"
_NAME_LIMIT = 255
"""NAME_MAX of limits.h, in bytes."""


@dataclass(frozen=True)
class Registration:
    """One entry to be. ``magic`` and ``mask`` have the same length and start at byte ``offset`` of the file; an empty mask is all ones."""

    name: str
    magic: bytes
    mask: bytes
    interpreter: str
    flags: str
    offset: int = 0

    @classmethod
    def of(cls, arch: Arch, interpreter: str, flags: str) -> Self:
        """Return the registration of an emulator for ``arch``; it is called ``qemu-ARCH``, as everywhere."""
        return cls(entry_name(arch), magic_of(arch.elf), mask_of(arch.elf), interpreter, flags)

    @classmethod
    def from_entry(cls, entry: Entry) -> Self:
        """Return what would have to be asked to get ``entry`` (one that goes by magic) again."""
        return cls(entry.name, entry.magic, entry.mask, entry.interpreter, normal_flags(entry.flags), entry.offset)

    def line(self) -> bytes:
        """Return what is written to ``register``, and what a line of binfmt.d is.

        Raises:
            UsageError: the kernel cannot take this name or interpreter.
        """
        separator = self._separator()
        fields = [
            self.name, "M", str(self.offset) if self.offset else "", _escaped(self.magic), _escaped(self.mask),
            self.interpreter, self.flags,
        ]  # fmt: skip
        line = "".join(separator + field for field in fields).encode(errors="surrogateescape")
        if len(line) >= LINE_LIMIT:
            raise _unfit(self.name, f"its registration has {len(line)} bytes, and the kernel takes {LINE_LIMIT - 1}")
        return line

    def _separator(self) -> str:
        check_name(self.name)
        if not (self.name.isascii() and self.name.isprintable()):
            raise _unfit(ascii(self.name), "its name is not printable ASCII")
        if not self.interpreter.startswith("/") or any(ord(letter) < 32 for letter in self.interpreter):
            raise _unfit(self.name, f"its interpreter {self.interpreter!r} is no absolute path in one line")
        free = (letter for letter in _DELIMITERS if letter not in self.name + self.interpreter)
        separator = next(free, None)
        if separator is None:
            raise _unfit(self.name, f"its interpreter {self.interpreter!r} uses every character that could separate the fields")
        return separator

    def matches(self, entry: Entry) -> bool:
        """Whether ``entry`` has this interpreter, these flags, and matches the same bytes; its name and state are not looked at."""
        return (
            entry.interpreter == self.interpreter
            and normal_flags(entry.flags) == normal_flags(self.flags)
            and (entry.offset, entry.magic, entry.mask) == (self.offset, self.magic, self.mask)
        )


def normal_flags(flags: str) -> str:
    """Return flags in one order and as the kernel understands them: C brings O. Letters that later kernels add are kept."""
    wanted = set(flags) | ({"O"} if "C" in flags else set())
    return "".join(letter for letter in _FLAGS if letter in wanted) + "".join(sorted(wanted - set(_FLAGS)))


def check_name(name: str) -> None:
    """Make sure that ``name`` is that of an entry, and no path or control file; the kernel allows odd letters in names.

    Raises:
        UsageError: it is none.
    """
    if name in CONTROL_FILES or name in {"", ".", ".."} or set(name) & {"/", "\0"} or len(os.fsencode(name)) > _NAME_LIMIT:
        raise UsageError("binfmt-name", f"{name!r} cannot name an entry of binfmt_misc", hint="names are one word, such as qemu-aarch64")


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


def _unfit(name: str, reason: str) -> UsageError:
    hint = "put the emulator where its path is short and plain"
    return UsageError("binfmt-registration", f"{name} cannot be registered", reason=reason, hint=hint)


def _length(elf: ElfHeader) -> int:
    return elf.flags_offset + 4 if elf.flags_mask else _LENGTH


def _escaped(content: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in content)
