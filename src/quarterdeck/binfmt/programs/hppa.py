"""Back end for 32-bit PA-RISC. Encodings: PA-RISC 1.1 Architecture and Instruction Set Reference Manual, chapter 5 and appendix C.

Immediates are scattered over the instruction; the functions that scatter them are named after the manual's assembly functions.
Every branch is followed by a delay slot that does nothing. Stacks grow upwards.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _R3, _R20, _R22, _R23, _R24, _R25, _R26, _R28, _SP = 0, 3, 20, 22, 23, 24, 25, 26, 28, 30

_THREE_REGISTERS, _LDIL, _LDO, _LDB, _LDW, _STW, _COMBT, _BLE = 0x02, 0x08, 0x0D, 0x10, 0x12, 0x1A, 0x20, 0x39
_OR, _SUB = 0x09, 0x10
"""Extensions of instructions with three registers."""
_EQUAL, _LESS = 1, 2
"""Conditions of COMBT, signed."""
_GATEWAY = 0x100
"""Where the kernel's gateway page takes system calls: arch/parisc/kernel/syscall.S of Linux."""
_GATEWAY_SPACE = 2
"""The space register that holds the gateway page's space."""


def _low_sign(value: int, *, bits: int) -> int:
    """Scatter a signed immediate: the sign is the last bit (low_sign_ext)."""
    value = signed_field(value, bits=bits)
    return (value << 1 | value >> bits - 1) & ((1 << bits) - 1)


def _scatter_21(value: int) -> int:
    """Scatter the immediate of LDIL (assemble_21)."""
    return value >> 20 & 1 | (value >> 9 & 0x7FF) << 1 | (value >> 7 & 3) << 14 | (value >> 2 & 0x1F) << 16 | (value & 3) << 12


def _scatter_12(value: int) -> int:
    """Scatter a branch's distance in words (assemble_12)."""
    value = signed_field(value, bits=12)
    return value >> 11 & 1 | (value >> 10 & 1) << 2 | (value & 0x3FF) << 3


def _memory(opcode: int, *, base: int, register: int, displacement: int) -> int:
    """Return a load or store; LDO computes the address only."""
    return opcode << 26 | base << 21 | register << 16 | _low_sign(displacement, bits=14)


def _three(extension: int, *, r1: int, r2: int, target: int) -> int:
    """Return an arithmetic instruction: ``r1`` operation ``r2``."""
    return _THREE_REGISTERS << 26 | r2 << 21 | r1 << 16 | extension << 6 | target


def _ldil(*, target: int, value: int) -> int:
    """Return LDIL: the upper 21 of 32 bits."""
    return _LDIL << 26 | target << 21 | _scatter_21(value >> 11 & 0x1FFFFF)


class Hppa(Isa):
    """Numbers: arch/parisc/kernel/syscalls/syscall.tbl of Linux."""

    registers = hardware(arguments=(_R26, _R25, _R24, _R23, _R22), result=_R28, saved=_R3)
    sigusr1 = 16
    syscalls = Syscalls(
        exit=1,
        exit_group=222,
        geteuid=49,
        clone=120,
        sched_yield=158,
        rt_sigaction=174,
        getpid=20,
        kill=37,
        openat=275,
        getdents64=201,
    )

    def constant(self, target: Register, value: int) -> None:
        """LDIL and LDO."""
        register = self.registers[target]
        self.word(_ldil(target=register, value=value))
        self.word(_memory(_LDO, base=register, register=register, displacement=value & 0x7FF))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target]

        def low(place: Place) -> int:
            return _memory(_LDO, base=register, register=register, displacement=place.address(label) & 0x7FF)

        self.word_late(lambda place: _ldil(target=register, value=place.address(label)))
        self.word_late(low)

    def copy(self, target: Register, source: Register) -> None:
        """OR with register 0."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """LDO."""
        register = self.registers[target]
        self.word(_memory(_LDO, base=register, register=register, displacement=value))

    def negate(self, target: Register, source: Register) -> None:
        """SUB from register 0."""
        self.word(_three(_SUB, r1=_R0, r2=self.registers[source], target=self.registers[target]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LDB or LDW."""
        opcode = _LDB if width is Width.BYTE else _LDW
        self.word(_memory(opcode, base=self.registers[base], register=self.registers[target], displacement=offset))

    def store_word(self, source: Register, base: Register) -> None:
        """STW."""
        self.word(_memory(_STW, base=self.registers[base], register=self.registers[source], displacement=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """COMBT,= with register 0."""
        self._branch(_EQUAL, self.registers[register], label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """COMBT,< with register 0."""
        self._branch(_LESS, self.registers[register], label)

    def jump(self, label: str) -> None:
        """COMBT,= of register 0 with itself."""
        self._branch(_EQUAL, _R0, label)

    def stack_pointer(self, target: Register) -> None:
        """OR with register 0."""
        self._copy(self.registers[target], _SP)

    def argument_zero(self, target: Register) -> None:
        """The stack being upside down, the kernel hands argc over in register 25 and argv in 24: arch/parisc/include/asm/processor.h."""
        self.word(_memory(_LDW, base=_R24, register=self.registers[target], displacement=0))

    def system_call(self, number: int) -> None:
        """BLE into the gateway page; its delay slot loads the number. Space register 2 is written low bits first (assemble_3)."""
        space = (_GATEWAY_SPACE & 3) << 1 | _GATEWAY_SPACE >> 2
        self.word(_BLE << 26 | space << 13 | _scatter_12(_GATEWAY // 4))
        self.word(_memory(_LDO, base=_R0, register=_R20, displacement=number))

    def _copy(self, target: int, source: int) -> None:
        self.word(_three(_OR, r1=source, r2=_R0, target=target))

    def _branch(self, condition: int, register: int, label: str) -> None:
        """Append a comparison and branch, whose distance counts from after the delay slot."""

        def encode(place: Place) -> int:
            return _COMBT << 26 | register << 16 | condition << 13 | _scatter_12(place.distance(label) // 4 - 2)

        self.word_late(encode)
        self._copy(_R0, _R0)


def back_end(arch: Arch) -> Isa:
    """Return an empty program for PA-RISC."""
    return Hppa(arch)
