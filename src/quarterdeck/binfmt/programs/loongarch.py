"""Back end for loongarch64. Encodings: LoongArch Reference Manual, volume 1, appendix B."""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import GENERIC_SYSCALLS, Isa, Register, Width, hardware, signed_field
from quarterdeck.core.arch import Arch

_ZERO, _SP, _A7 = 0, 3, 11
_LU12I_W, _ORI, _ADDI_D, _OR, _SUB_D = 0x14000000, 0x03800000, 0x02C00000, 0x00150000, 0x00118000
_LOAD = {Width.BYTE: 0x2A000000, Width.WORD: 0x2A800000, Width.DOUBLE: 0x28C00000}
"""LD.BU, LD.WU, LD.D."""
_ST_W, _BEQZ, _BLT, _B, _SYSCALL = 0x29800000, 0x40000000, 0x60000000, 0x50000000, 0x002B0000


class LoongArch(Isa):
    """LA64."""

    registers = hardware(arguments=(4, 5, 6, 7, 8), result=4, saved=23)
    syscalls = GENERIC_SYSCALLS

    def constant(self, target: Register, value: int) -> None:
        """LU12I.W, which extends the sign, and ORI."""
        self._constant(self.registers[target], value)

    def _constant(self, rd: int, value: int) -> None:
        self.word(_upper(rd, value))
        self.word(_lower(rd, value))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        rd = self.registers[target]
        self.word_late(lambda place: _upper(rd, place.address(label)))
        self.word_late(lambda place: _lower(rd, place.address(label)))

    def copy(self, target: Register, source: Register) -> None:
        """OR with r0."""
        self.word(_OR | _ZERO << 10 | self.registers[source] << 5 | self.registers[target])

    def add(self, target: Register, value: int) -> None:
        """ADDI.D."""
        self._immediate(_ADDI_D, target, target, value)

    def negate(self, target: Register, source: Register) -> None:
        """SUB.D from r0."""
        self.word(_SUB_D | self.registers[source] << 10 | _ZERO << 5 | self.registers[target])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LD."""
        self._immediate(_LOAD[width], target, base, offset)

    def store_word(self, source: Register, base: Register) -> None:
        """ST.W."""
        self._immediate(_ST_W, source, base, 0)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BEQZ: 21 bits of distance, the low 16 of them first."""
        rj = self.registers[register]

        def encode(distance: int) -> int:
            offset = signed_field(distance // 4, bits=21)
            return _BEQZ | (offset & 0xFFFF) << 10 | rj << 5 | offset >> 16

        self.word_late(lambda place: encode(place.distance(label)))

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BLT: less than r0."""
        operation = _BLT | self.registers[register] << 5 | _ZERO
        self.word_late(lambda place: operation | signed_field(place.distance(label) // 4, bits=16) << 10)

    def jump(self, label: str) -> None:
        """B: 26 bits of distance, the low 16 of them first."""

        def encode(distance: int) -> int:
            offset = signed_field(distance // 4, bits=26)
            return _B | (offset & 0xFFFF) << 10 | offset >> 16

        self.word_late(lambda place: encode(place.distance(label)))

    def stack_pointer(self, target: Register) -> None:
        """OR with r0."""
        self.word(_OR | _ZERO << 10 | _SP << 5 | self.registers[target])

    def system_call(self, number: int) -> None:
        """The number is in a7; SYSCALL 0."""
        self._constant(_A7, number)
        self.word(_SYSCALL)

    def _immediate(self, operation: int, rd: Register, rj: Register, value: int) -> None:
        self.word(operation | signed_field(value, bits=12) << 10 | self.registers[rj] << 5 | self.registers[rd])


def _upper(rd: int, value: int) -> int:
    return _LU12I_W | (value >> 12 & 0xFFFFF) << 5 | rd


def _lower(rd: int, value: int) -> int:
    return _ORI | (value & 0xFFF) << 10 | rd << 5 | rd


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return LoongArch(arch)
