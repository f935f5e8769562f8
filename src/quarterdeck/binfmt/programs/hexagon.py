"""Back end for Hexagon. Encodings: Qualcomm Hexagon V67 Programmer's Reference Manual (80-N2040-45), chapter 11.

Each instruction is a packet of its own: the parse bits say so. So what one compares or loads, the next one has.
"""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import GENERIC_SYSCALLS, Isa, Register, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _R1, _R2, _R3, _R4, _R6, _R16, _SP = 0, 1, 2, 3, 4, 6, 16, 29

_TRANSFER, _TRANSFER_LOW, _TRANSFER_HIGH = 0x70600000, 0x71200000, 0x72200000
_ADD, _SUBTRACT_FROM = 0xB0000000, 0x76400000
_LOAD_BYTE, _LOAD_WORD, _STORE_WORD = 0x91200000, 0x91800000, 0xA1800000
_COMPARE_EQUAL, _COMPARE_GREATER = 0x75000000, 0x75400000
"""Comparisons with an immediate; the result goes to the predicate P0."""
_JUMP, _JUMP_IF_TRUE, _JUMP_IF_FALSE = 0x58000000, 0x5C000000, 0x5C200000
_TRAP0 = 0x54000000
_SYSCALL_TRAP = 1
_END_OF_PACKET = 3 << 14
_V60 = 0x60
"""EF_HEXAGON_MACH_V60. QEMU runs only machines that it knows by e_flags, up to V73 in 10.0."""


def _place(value: int, *, bits: int, at: tuple[int, ...]) -> int:
    """Scatter a field of an instruction: ``at`` are the positions of its bits, the lowest first."""
    value = field(value, bits=bits)
    return sum((value >> index & 1) << position for index, position in enumerate(at))


_LOW_13 = tuple(range(1, 14))
_HALF_WORD = (*range(14), 22, 23)
_ADDEND = (*range(5, 14), *range(21, 28))
_SMALL = (*range(5, 14), 21)
_LOAD_OFFSET = (*range(5, 14), 25, 26)
_JUMP_DISTANCE = (*_LOW_13, *range(16, 25))
_BRANCH_DISTANCE = (*range(1, 8), 13, *range(16, 21), 22, 23)


class Hexagon(Isa):
    """System calls: arch/hexagon/include/uapi/asm/unistd.h of Linux, which is the generic table."""

    registers = hardware(arguments=(_R0, _R1, _R2, _R3, _R4), result=_R0, saved=_R16)
    syscalls = GENERIC_SYSCALLS

    def __init__(self, arch: Arch) -> None:
        super().__init__(arch)
        self.flags |= _V60

    def constant(self, target: Register, value: int) -> None:
        """Rx.L=#u16 and Rx.H=#u16."""
        self._load(self.registers[target], value)

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target] << 16
        self._late(lambda place: _TRANSFER_LOW | register | _place(place.address(label) & 0xFFFF, bits=16, at=_HALF_WORD))
        self._late(lambda place: _TRANSFER_HIGH | register | _place(place.address(label) >> 16, bits=16, at=_HALF_WORD))

    def copy(self, target: Register, source: Register) -> None:
        """Rd=Rs."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """Rd=add(Rs,#s16)."""
        register = self.registers[target]
        self._packet(_ADD | register << 16 | _place(value, bits=16, at=_ADDEND) | register)

    def negate(self, target: Register, source: Register) -> None:
        """Rd=sub(#0,Rs)."""
        self._packet(_SUBTRACT_FROM | self.registers[source] << 16 | self.registers[target])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """Rd=memub(Rs+#s11:0) or Rd=memw(Rs+#s11:2)."""
        opcode = _LOAD_BYTE if width is Width.BYTE else _LOAD_WORD
        scaled = _place(offset // width, bits=11, at=_LOAD_OFFSET)
        self._packet(opcode | self.registers[base] << 16 | scaled | self.registers[target])

    def store_word(self, source: Register, base: Register) -> None:
        """memw(Rs+#0)=Rt."""
        self._packet(_STORE_WORD | self.registers[base] << 16 | self.registers[source] << 8)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """P0=cmp.eq(Rs,#0) and if (P0) jump."""
        self._packet(_COMPARE_EQUAL | self.registers[register] << 16)
        self._branch(_JUMP_IF_TRUE, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """P0=cmp.gt(Rs,#-1) and if (!P0) jump."""
        self._packet(_COMPARE_GREATER | self.registers[register] << 16 | _place(-1, bits=10, at=_SMALL))
        self._branch(_JUMP_IF_FALSE, label)

    def jump(self, label: str) -> None:
        """Jump #r22:2."""
        self._late(lambda place: _JUMP | _place(signed_field(place.distance(label) // 4, bits=22), bits=22, at=_JUMP_DISTANCE))

    def stack_pointer(self, target: Register) -> None:
        """Rd=R29."""
        self._copy(self.registers[target], _SP)

    def system_call(self, number: int) -> None:
        """trap0(#1) with the number in R6."""
        self._load(_R6, number)
        self._packet(_TRAP0 | _SYSCALL_TRAP << 2)

    def _load(self, register: int, value: int) -> None:
        self._packet(_TRANSFER_LOW | register << 16 | _place(value & 0xFFFF, bits=16, at=_HALF_WORD))
        self._packet(_TRANSFER_HIGH | register << 16 | _place(value >> 16, bits=16, at=_HALF_WORD))

    def _copy(self, target: int, source: int) -> None:
        self._packet(_TRANSFER | source << 16 | target)

    def _branch(self, opcode: int, label: str) -> None:
        """Append a jump that depends on P0; its distance counts from its own packet."""
        self._late(lambda place: opcode | _place(signed_field(place.distance(label) // 4, bits=15), bits=15, at=_BRANCH_DISTANCE))

    def _packet(self, instruction: int) -> None:
        self.word(instruction | _END_OF_PACKET)

    def _late(self, instruction: Callable[[Place], int]) -> None:
        self.word_late(lambda place: instruction(place) | _END_OF_PACKET)


def back_end(arch: Arch) -> Isa:
    """Return an empty program for Hexagon."""
    return Hexagon(arch)
