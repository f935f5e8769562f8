"""Back end for riscv64 and riscv32: base instructions only, none compressed.

Encodings: The RISC-V Instruction Set Manual, volume I, "RV32/64G Instruction Set Listings".
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import GENERIC_SYSCALLS, Isa, Register, Width, hardware, signed_field
from quarterdeck.core.arch import Arch

_ZERO, _SP, _A7 = 0, 2, 17
_LUI, _IMMEDIATE, _IMMEDIATE_WORD, _LOAD, _STORE, _OPERATION, _BRANCH, _JAL, _ECALL = 0x37, 0x13, 0x1B, 0x03, 0x23, 0x33, 0x63, 0x6F, 0x73
"""Major opcodes."""
_SUBTRACT = 0x20 << 25
"""funct7."""
_STORE_WORD, _IF_EQUAL, _IF_LESS = 2, 0, 4
"""funct3."""


class RiscV(Isa):
    """RV64I and RV32I."""

    registers = hardware(arguments=(10, 11, 12, 13, 14), result=10, saved=9)
    syscalls = GENERIC_SYSCALLS

    def constant(self, target: Register, value: int) -> None:
        """LUI and ADDI."""
        self._constant(self.registers[target], value)

    def _constant(self, rd: int, value: int) -> None:
        self.word(_upper(rd, value))
        self.word(self._lower(rd, value))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        rd = self.registers[target]
        self.word_late(lambda place: _upper(rd, place.address(label)))
        self.word_late(lambda place: self._lower(rd, place.address(label)))

    def copy(self, target: Register, source: Register) -> None:
        """ADDI of nothing."""
        self.word(_i_type(_IMMEDIATE, self.registers[target], self.registers[source], 0))

    def add(self, target: Register, value: int) -> None:
        """ADDI."""
        self.word(_i_type(_IMMEDIATE, self.registers[target], self.registers[target], value))

    def negate(self, target: Register, source: Register) -> None:
        """SUB from x0."""
        self.word(_SUBTRACT | self.registers[source] << 20 | _ZERO << 15 | self.registers[target] << 7 | _OPERATION)

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LBU, LWU (LW where a word is all there is), LD."""
        word = 6 if self.pointer_width is Width.DOUBLE else 2
        funct3 = {Width.BYTE: 4, Width.WORD: word, Width.DOUBLE: 3}[width]
        self.word(_i_type(_LOAD | funct3 << 12, self.registers[target], self.registers[base], offset))

    def store_word(self, source: Register, base: Register) -> None:
        """SW."""
        self.word(self.registers[source] << 20 | self.registers[base] << 15 | _STORE_WORD << 12 | _STORE)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BEQ with x0."""
        self._branch(_IF_EQUAL, register, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BLT: less than x0."""
        self._branch(_IF_LESS, register, label)

    def jump(self, label: str) -> None:
        """JAL that keeps no return address."""
        self.word_late(lambda place: _j_type(place.distance(label)))

    def stack_pointer(self, target: Register) -> None:
        """ADDI of nothing to x2."""
        self.word(_i_type(_IMMEDIATE, self.registers[target], _SP, 0))

    def system_call(self, number: int) -> None:
        """The number is in a7; ECALL."""
        self._constant(_A7, number)
        self.word(_ECALL)

    def _branch(self, funct3: int, register: Register, label: str) -> None:
        rs1 = self.registers[register]
        self.word_late(lambda place: _b_type(funct3, rs1, place.distance(label)))

    def _lower(self, rd: int, value: int) -> int:
        """Return ADDI of the low 12 bits; of 64 bits, ADDIW keeps the sum a signed word."""
        opcode = _IMMEDIATE_WORD if self.pointer_width is Width.DOUBLE else _IMMEDIATE
        return _i_type(opcode, rd, rd, value - _rounded(value))


def _rounded(value: int) -> int:
    """Return ``value`` without its low 12 bits, which are a signed number."""
    return (value + 0x800) & -0x1000


def _upper(rd: int, value: int) -> int:
    return (_rounded(value) & 0xFFFFF000) | rd << 7 | _LUI


def _i_type(operation: int, rd: int, rs1: int, immediate: int) -> int:
    return signed_field(immediate, bits=12) << 20 | rs1 << 15 | rd << 7 | operation


def _b_type(funct3: int, rs1: int, distance: int) -> int:
    """Return a branch that compares with x0; the bits of the distance are scattered so that fields stay where other formats have them."""
    bits = signed_field(distance, bits=13)
    high = (bits >> 12) << 31 | (bits >> 5 & 0x3F) << 25
    low = (bits >> 1 & 0xF) << 8 | (bits >> 11 & 1) << 7
    return high | _ZERO << 20 | rs1 << 15 | funct3 << 12 | low | _BRANCH


def _j_type(distance: int) -> int:
    bits = signed_field(distance, bits=21)
    scattered = (bits >> 20) << 31 | (bits >> 1 & 0x3FF) << 21 | (bits >> 11 & 1) << 20 | (bits >> 12 & 0xFF) << 12
    return scattered | _ZERO << 7 | _JAL


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return RiscV(arch)
