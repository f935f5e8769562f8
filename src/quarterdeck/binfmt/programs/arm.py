"""Back end for arm and armeb: A32 instructions that every ARM has since version 4, and the EABI's system calls.

Encodings: Arm Architecture Reference Manual ARMv7-A (DDI 0406), chapter A5; e_flags: ELF for the Arm Architecture (IHI 0044); numbers:
arch/arm/tools/syscall.tbl of Linux.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R7, _SP = 7, 13
_ALWAYS, _EQUAL, _NEGATIVE = 0xE << 28, 0x0 << 28, 0x4 << 28
"""Condition field."""
_MOV, _MOV_IMMEDIATE, _ORR_IMMEDIATE = 0x01A00000, 0x03A00000, 0x03800000
_ADD, _SUB, _RSB, _CMP = 0x02800000, 0x02400000, 0x02600000, 0x03500000
"""Data processing with an immediate."""
_LDR, _LDRB, _STR = 0x05900000, 0x05D00000, 0x05800000
_B, _SVC = 0x0A000000, 0x0F000000
_PIPELINE = 8
"""How far the program counter is ahead of an instruction."""
_EABI5, _BE8 = 0x05000000, 0x00800000
"""EF_ARM_ABI_VER5: kernels for 64-bit ARM refuse programs without it. EF_ARM_BE8: data big-endian, instructions little-endian, as
ARM has it since version 6."""


class Arm(Isa):
    """A32."""

    registers = hardware(arguments=(0, 1, 2, 3, 4), result=0, saved=5)
    syscalls = Syscalls(
        exit=1,
        exit_group=248,
        geteuid=201,
        clone=120,
        sched_yield=158,
        rt_sigaction=174,
        getpid=20,
        kill=37,
        openat=322,
        getdents64=217,
    )

    def __init__(self, arch: Arch) -> None:
        super().__init__(arch)
        self.flags |= _EABI5 if arch.elf.little else _EABI5 | _BE8
        self.code_order = "little"

    def constant(self, target: Register, value: int) -> None:
        """MOV and three ORR, a byte each: MOVW and MOVT are of version 7."""
        self._constant(self.registers[target], value)

    def _constant(self, rd: int, value: int) -> None:
        for index in range(4):
            self.word(_byte_of(field(value, bits=32), index, rd))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        for index in range(4):
            self._address_byte(self.registers[target], label, index)

    def _address_byte(self, rd: int, label: str, index: int) -> None:
        self.word_late(lambda place: _byte_of(place.address(label), index, rd))

    def copy(self, target: Register, source: Register) -> None:
        """MOV."""
        self.word(_ALWAYS | _MOV | self.registers[target] << 12 | self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """ADD or SUB of a byte."""
        self._immediate(_SUB if value < 0 else _ADD, target, target, abs(value))

    def negate(self, target: Register, source: Register) -> None:
        """RSB: zero minus the register."""
        self._immediate(_RSB, target, source, 0)

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LDRB or LDR."""
        operation = _LDRB if width is Width.BYTE else _LDR
        self._immediate(operation, target, base, offset)

    def store_word(self, source: Register, base: Register) -> None:
        """STR."""
        self._immediate(_STR, source, base, 0)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """CMP and BEQ."""
        self._compare(register)
        self._branch(_EQUAL, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """CMP and BMI."""
        self._compare(register)
        self._branch(_NEGATIVE, label)

    def jump(self, label: str) -> None:
        """B."""
        self._branch(_ALWAYS, label)

    def stack_pointer(self, target: Register) -> None:
        """MOV."""
        self.word(_ALWAYS | _MOV | self.registers[target] << 12 | _SP)

    def system_call(self, number: int) -> None:
        """The number is in R7; SVC 0."""
        self._constant(_R7, number)
        self.word(_ALWAYS | _SVC)

    def _immediate(self, operation: int, rd: Register, rn: Register, value: int) -> None:
        self.word(_ALWAYS | operation | self.registers[rn] << 16 | self.registers[rd] << 12 | value)

    def _compare(self, register: Register) -> None:
        self.word(_ALWAYS | _CMP | self.registers[register] << 16)

    def _branch(self, condition: int, label: str) -> None:
        self.word_late(lambda place: condition | _B | signed_field((place.distance(label) - _PIPELINE) // 4, bits=24))


def _byte_of(value: int, index: int, rd: int) -> int:
    """Return the instruction that puts byte ``index`` of ``value`` into its place: a byte is rotated right by twice a 4-bit field."""
    rotation = -index * 4 & 0xF
    operation = _ORR_IMMEDIATE | rd << 16 if index else _MOV_IMMEDIATE
    return _ALWAYS | operation | rd << 12 | rotation << 8 | (value >> index * 8 & 0xFF)


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return Arm(arch)
