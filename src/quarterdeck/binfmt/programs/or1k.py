"""Back end for OpenRISC 1000. Encodings: OpenRISC 1000 Architecture Manual, version 1.4, chapter 5.

Every branch is followed by a delay slot that does nothing.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import GENERIC_SYSCALLS, Isa, Register, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _SP, _R3, _R4, _R5, _R6, _R7, _R11, _R14 = 0, 1, 3, 4, 5, 6, 7, 11, 14

_J, _BF, _NOP, _MOVHI, _SYS = 0x00, 0x04, 0x05, 0x06, 0x08
_LWZ, _LBZ, _ADDI, _ORI, _SFI, _SW, _ARITHMETIC = 0x21, 0x23, 0x27, 0x2A, 0x2F, 0x35, 0x38
_EQUAL, _LESS = 0x00, 0x0C
"""Conditions of SFI, signed."""
_SUB, _OR = 0x02, 0x04
"""Operations of _ARITHMETIC."""
_NOP_MARK = 1 << 24
_SYSCALL = 1


def _immediate(opcode: int, *, rd: int, ra: int, value: int) -> int:
    """Return an instruction with an immediate of 16 bits."""
    return opcode << 26 | rd << 21 | ra << 16 | field(value, bits=16)


def _registers(operation: int, *, rd: int, ra: int, rb: int) -> int:
    """Return an arithmetic instruction."""
    return _ARITHMETIC << 26 | rd << 21 | ra << 16 | rb << 11 | operation


class Or1k(Isa):
    """System calls: arch/openrisc/include/uapi/asm/unistd.h of Linux, which is the generic table."""

    registers = hardware(arguments=(_R3, _R4, _R5, _R6, _R7), result=_R11, saved=_R14)
    syscalls = GENERIC_SYSCALLS

    def constant(self, target: Register, value: int) -> None:
        """l.movhi and l.ori."""
        register = self.registers[target]
        self.word(_immediate(_MOVHI, rd=register, ra=0, value=value >> 16))
        self.word(_immediate(_ORI, rd=register, ra=register, value=value & 0xFFFF))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target]
        self.word_late(lambda place: _immediate(_MOVHI, rd=register, ra=0, value=place.address(label) >> 16))
        self.word_late(lambda place: _immediate(_ORI, rd=register, ra=register, value=place.address(label) & 0xFFFF))

    def copy(self, target: Register, source: Register) -> None:
        """l.or with register 0."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """l.addi."""
        register = self.registers[target]
        self.word(_immediate(_ADDI, rd=register, ra=register, value=value))

    def negate(self, target: Register, source: Register) -> None:
        """l.sub from register 0."""
        self.word(_registers(_SUB, rd=self.registers[target], ra=_R0, rb=self.registers[source]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """l.lbz or l.lwz."""
        opcode = _LBZ if width is Width.BYTE else _LWZ
        self.word(_immediate(opcode, rd=self.registers[target], ra=self.registers[base], value=offset))

    def store_word(self, source: Register, base: Register) -> None:
        """l.sw, whose distance, here 0, stands on both sides of the registers."""
        self.word(_SW << 26 | self.registers[base] << 16 | self.registers[source] << 11)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """l.sfeqi and l.bf."""
        self._branch_if(_EQUAL, register, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """l.sfltsi and l.bf."""
        self._branch_if(_LESS, register, label)

    def jump(self, label: str) -> None:
        """l.j."""
        self._branch(_J, label)

    def stack_pointer(self, target: Register) -> None:
        """l.or with register 0."""
        self._copy(self.registers[target], _SP)

    def system_call(self, number: int) -> None:
        """l.sys with the number in r11."""
        self.word(_immediate(_ORI, rd=_R11, ra=_R0, value=number))
        self.word(_SYS << 26 | _SYSCALL)

    def _copy(self, target: int, source: int) -> None:
        self.word(_registers(_OR, rd=target, ra=source, rb=_R0))

    def _branch_if(self, condition: int, register: Register, label: str) -> None:
        self.word(_immediate(_SFI, rd=condition, ra=self.registers[register], value=0))
        self._branch(_BF, label)

    def _branch(self, opcode: int, label: str) -> None:
        """Append a branch, whose distance in instructions counts from itself."""
        self.word_late(lambda place: opcode << 26 | signed_field(place.distance(label) // 4, bits=26))
        self.word(_NOP << 26 | _NOP_MARK)


def back_end(arch: Arch) -> Isa:
    """Return an empty program for OpenRISC."""
    return Or1k(arch)
