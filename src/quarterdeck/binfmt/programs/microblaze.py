"""Back ends for MicroBlaze in both byte orders. Encodings: MicroBlaze Processor Reference Guide (UG984), chapter 5."""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _R1, _R3, _R5, _R6, _R7, _R8, _R9, _R12, _R14, _R19 = 0, 1, 3, 5, 6, 7, 8, 9, 12, 14, 19

_RSUBK, _ADDIK, _OR, _IMM, _BRI, _BCCI, _LBUI, _LWI, _SWI = 0x05, 0x0C, 0x20, 0x2C, 0x2E, 0x2F, 0x38, 0x3A, 0x3E
_EQUAL, _LESS = 0, 2
"""Conditions of BCCI, in the place of the target register."""
_ABSOLUTE_AND_LINK = 0x0C
"""What makes BRI a BRKI, in the place of the source register."""
_SYSCALL_VECTOR = 0x08
"""arch/microblaze/kernel/hw_exception_handler.S of Linux."""


def _immediate(opcode: int, *, rd: int, ra: int, value: int) -> int:
    """Return a type B instruction, whose immediate of 16 bits is sign-extended unless IMM comes before it."""
    return opcode << 26 | rd << 21 | ra << 16 | field(value, bits=16)


def _registers(opcode: int, *, rd: int, ra: int, rb: int) -> int:
    """Return a type A instruction."""
    return opcode << 26 | rd << 21 | ra << 16 | rb << 11


class Microblaze(Isa):
    """Numbers: arch/microblaze/kernel/syscalls/syscall.tbl of Linux."""

    registers = hardware(arguments=(_R5, _R6, _R7, _R8, _R9), result=_R3, saved=_R19)
    syscalls = Syscalls(
        exit=1,
        exit_group=252,
        geteuid=201,
        clone=120,
        sched_yield=158,
        rt_sigaction=174,
        getpid=20,
        kill=37,
        openat=295,
        getdents64=220,
    )

    def constant(self, target: Register, value: int) -> None:
        """IMM, the upper half of the next immediate, and ADDIK."""
        self.word(_immediate(_IMM, rd=0, ra=0, value=value >> 16))
        self.word(_immediate(_ADDIK, rd=self.registers[target], ra=_R0, value=value & 0xFFFF))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target]
        self.word_late(lambda place: _immediate(_IMM, rd=0, ra=0, value=place.address(label) >> 16))
        self.word_late(lambda place: _immediate(_ADDIK, rd=register, ra=_R0, value=place.address(label) & 0xFFFF))

    def copy(self, target: Register, source: Register) -> None:
        """OR with register 0."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """ADDIK."""
        register = self.registers[target]
        self.word(_immediate(_ADDIK, rd=register, ra=register, value=value))

    def negate(self, target: Register, source: Register) -> None:
        """RSUBK, which subtracts its first operand from its second, from register 0."""
        self.word(_registers(_RSUBK, rd=self.registers[target], ra=self.registers[source], rb=_R0))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LBUI or LWI."""
        opcode = _LBUI if width is Width.BYTE else _LWI
        self.word(_immediate(opcode, rd=self.registers[target], ra=self.registers[base], value=offset))

    def store_word(self, source: Register, base: Register) -> None:
        """SWI."""
        self.word(_immediate(_SWI, rd=self.registers[source], ra=self.registers[base], value=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BEQI."""
        self._branch(_BCCI, condition=_EQUAL, register=self.registers[register], label=label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BLTI."""
        self._branch(_BCCI, condition=_LESS, register=self.registers[register], label=label)

    def jump(self, label: str) -> None:
        """BRI."""
        self._branch(_BRI, condition=0, register=0, label=label)

    def stack_pointer(self, target: Register) -> None:
        """OR with register 0."""
        self._copy(self.registers[target], _R1)

    def system_call(self, number: int) -> None:
        """BRKI to the kernel's vector with the number in r12; r14 is for the way back."""
        self.word(_immediate(_ADDIK, rd=_R12, ra=_R0, value=number))
        self.word(_immediate(_BRI, rd=_R14, ra=_ABSOLUTE_AND_LINK, value=_SYSCALL_VECTOR))

    def _copy(self, target: int, source: int) -> None:
        self.word(_registers(_OR, rd=target, ra=source, rb=_R0))

    def _branch(self, opcode: int, *, condition: int, register: int, label: str) -> None:
        """Append a branch without delay slot; its distance counts from itself."""
        self.word_late(lambda place: _immediate(opcode, rd=condition, ra=register, value=signed_field(place.distance(label), bits=16)))


def back_end(arch: Arch) -> Isa:
    """Return an empty program for one of the MicroBlaze architectures."""
    return Microblaze(arch)
