"""A static ELF executable around code, data and zeros. Layout: elf(5).

Segments are congruent to the file modulo 64 KiB, the largest page of the kernels that run QEMU, without the file being padded. The
link address is above vm.mmap_min_addr (64 KiB) on every host and below 2^31 on every target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quarterdeck.binfmt.programs.isa import Isa
from quarterdeck.core.arch import ElfHeader

BASE = 0x400000
PAGE = 0x10000
_LOAD, _STACK = 1, 0x6474E551
_EXECUTE, _WRITE, _READ = 1, 2, 4
_ALIGNMENT = 16
_PROGRAM_HEADERS = 3


@dataclass(frozen=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int


def link(isa: Isa) -> bytes:
    """Return the file. It begins at the first byte of ``isa.code``."""
    elf = isa.arch.elf
    code_at = _aligned(_header_size(elf) + _PROGRAM_HEADERS * _program_header_size(elf))
    data_at = _aligned(code_at + isa.code.size)
    code, data = BASE + code_at, BASE + PAGE + data_at
    zeros = _aligned(data + isa.data.size)
    addresses = isa.code.addresses(code) | isa.data.addresses(data) | isa.zeros.addresses(zeros)
    segments = (
        _Segment(_LOAD, _READ | _EXECUTE, 0, BASE, code_at + isa.code.size, code_at + isa.code.size, PAGE),
        _Segment(_LOAD, _READ | _WRITE, data_at, data, isa.data.size, zeros + isa.zeros.size - data, PAGE),
        # Without it, kernels make every page of an old 32-bit program executable, which hardened ones refuse.
        _Segment(_STACK, _READ | _WRITE, 0, 0, 0, 0, _ALIGNMENT),
    )
    head = _header(elf, code, isa.flags) + b"".join(_program_header(elf, segment) for segment in segments)
    text = head.ljust(code_at, b"\0") + isa.code.content(code, addresses)
    return text.ljust(data_at, b"\0") + isa.data.content(data, addresses)


def _aligned(number: int) -> int:
    return -(-number // _ALIGNMENT) * _ALIGNMENT


def _header_size(elf: ElfHeader) -> int:
    return 64 if elf.bits == 64 else 52


def _program_header_size(elf: ElfHeader) -> int:
    return 56 if elf.bits == 64 else 32


def _header(elf: ElfHeader, entry: int, flags: int) -> bytes:
    """Return Ehdr; the table's example has everything up to e_version."""
    half, word, pointer = _numbers(elf)
    return b"".join(
        (
            elf.example()[:24],
            pointer(entry) + pointer(_header_size(elf)) + pointer(0),
            word(flags),
            half(_header_size(elf)) + half(_program_header_size(elf)) + half(_PROGRAM_HEADERS),
            half(0) + half(0) + half(0),
        )
    )


def _program_header(elf: ElfHeader, segment: _Segment) -> bytes:
    """Return Phdr; p_flags stands in two different places."""
    _, word, pointer = _numbers(elf)
    flags = word(segment.flags)
    sizes = pointer(segment.offset) + 2 * pointer(segment.address) + pointer(segment.file_size) + pointer(segment.memory_size)
    first, last = (flags, b"") if elf.bits == 64 else (b"", flags)
    return word(segment.kind) + first + sizes + last + pointer(segment.align)


def _numbers(elf: ElfHeader) -> tuple[Callable[[int], bytes], ...]:
    """Return encoders of the header's three kinds of numbers: half words, words, and addresses or sizes."""

    def encoder(size: int) -> Callable[[int], bytes]:
        return lambda value: value.to_bytes(size, elf.order)

    return encoder(2), encoder(4), encoder(elf.bits // 8)
