"""Back end for aarch64 and aarch64_be, whose instructions are little-endian too.

Encodings: Arm Architecture Reference Manual for A-profile (DDI 0487), part C, "A64 instruction set encoding".
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import GENERIC_SYSCALLS, Isa, Register, Width, hardware, signed_field
from quarterdeck.core.arch import Arch

_X8, _SP, _XZR = 8, 31, 31
_MOVN, _MOVZ, _MOVK = 0x92800000, 0xD2800000, 0xF2800000
_ADR, _ADD_IMMEDIATE, _SUB_IMMEDIATE = 0x10000000, 0x91000000, 0xD1000000
_ORR, _SUB = 0xAA000000, 0xCB000000
_LDR = {Width.BYTE: 0x39400000, Width.WORD: 0xB9400000, Width.DOUBLE: 0xF9400000}
_STR_WORD = 0xB9000000
_CBZ, _TBNZ, _B, _SVC = 0xB4000000, 0x37000000, 0x14000000, 0xD4000001
_SIGN_BIT = 1 << 31 | 31 << 19
"""Bit 63 as TBNZ has it: b5 and b40."""


class AArch64(Isa):
    """A64."""

    registers = hardware(arguments=(0, 1, 2, 3, 4), result=0, saved=19)
    syscalls = GENERIC_SYSCALLS

    def __init__(self, arch: Arch) -> None:
        super().__init__(arch)
        self.code_order = "little"

    def constant(self, target: Register, value: int) -> None:
        """MOVZ or MOVN, and MOVK for bits 16 to 31."""
        self._constant(self.registers[target], value)

    def _constant(self, rd: int, value: int) -> None:
        first = _MOVN | (~value & 0xFFFF) << 5 if value < 0 else _MOVZ | (value & 0xFFFF) << 5
        self.word(first | rd)
        self.word(_MOVK | 1 << 21 | (value >> 16 & 0xFFFF) << 5 | rd)

    def address(self, target: Register, label: str) -> None:
        """ADR, which reaches 1 MiB: immlo and immhi."""

        def encode(distance: int) -> int:
            immediate = signed_field(distance, bits=21)
            return _ADR | (immediate & 3) << 29 | (immediate >> 2) << 5 | self.registers[target]

        self.word_late(lambda place: encode(place.distance(label)))

    def copy(self, target: Register, source: Register) -> None:
        """ORR with the zero register."""
        self.word(_ORR | self.registers[source] << 16 | _XZR << 5 | self.registers[target])

    def add(self, target: Register, value: int) -> None:
        """ADD or SUB, immediate."""
        operation = _SUB_IMMEDIATE if value < 0 else _ADD_IMMEDIATE
        self.word(operation | abs(value) << 10 | self.registers[target] << 5 | self.registers[target])

    def negate(self, target: Register, source: Register) -> None:
        """SUB from the zero register."""
        self.word(_SUB | self.registers[source] << 16 | _XZR << 5 | self.registers[target])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LDR, unsigned immediate, which counts in units of the width."""
        self.word(_LDR[width] | (offset // width) << 10 | self.registers[base] << 5 | self.registers[target])

    def store_word(self, source: Register, base: Register) -> None:
        """STR, 32 bits."""
        self.word(_STR_WORD | self.registers[base] << 5 | self.registers[source])

    def branch_if_zero(self, register: Register, label: str) -> None:
        """CBZ."""
        operation = _CBZ | self.registers[register]
        self.word_late(lambda place: operation | signed_field(place.distance(label) // 4, bits=19) << 5)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """TBNZ of the sign."""
        operation = _TBNZ | _SIGN_BIT | self.registers[register]
        self.word_late(lambda place: operation | signed_field(place.distance(label) // 4, bits=14) << 5)

    def jump(self, label: str) -> None:
        """B."""
        self.word_late(lambda place: _B | signed_field(place.distance(label) // 4, bits=26))

    def stack_pointer(self, target: Register) -> None:
        """ADD of nothing to SP: in ORR, 31 would be the zero register."""
        self.word(_ADD_IMMEDIATE | _SP << 5 | self.registers[target])

    def system_call(self, number: int) -> None:
        """The number is in X8; SVC 0."""
        self._constant(_X8, number)
        self.word(_SVC)


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return AArch64(arch)
