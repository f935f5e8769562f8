"""Back end for Alpha. Encodings: Alpha Architecture Handbook, version 4, chapters 3 and 4 and appendix C.

Needs the byte instructions (BWX) of the 21164A and later, which QEMU's default processor has.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Argument, Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_V0, _S0, _A0, _A1, _A2, _A3, _A4, _SP, _ZERO = 0, 9, 16, 17, 18, 19, 20, 30, 31

_LDA, _LDAH, _LDBU, _LDL, _LDQ, _STL = 0x08, 0x09, 0x0A, 0x28, 0x29, 0x2C
_BR, _BEQ, _BLT = 0x30, 0x39, 0x3A
_SUBQ, _BIS, _ZAPNOT = (0x10, 0x29), (0x11, 0x20), (0x12, 0x31)
"""Opcode and function of operate instructions."""
_CALLSYS = 0x83
"""Operating system's function of CALL_PAL, whose opcode is 0."""
_LOW_LONGWORD = 0x0F
"""Bytes that ZAPNOT keeps."""


def _memory(opcode: int, *, ra: int, rb: int, displacement: int) -> int:
    """Return a memory instruction."""
    return opcode << 26 | ra << 21 | rb << 16 | field(displacement, bits=16)


def _operate(operation: tuple[int, int], *, ra: int, rb: int, rc: int) -> int:
    """Return an operate instruction between registers."""
    opcode, function = operation
    return opcode << 26 | ra << 21 | rb << 16 | function << 5 | rc


def _operate_literal(operation: tuple[int, int], *, ra: int, literal: int, rc: int) -> int:
    """Return an operate instruction with an unsigned literal of eight bits."""
    opcode, function = operation
    return opcode << 26 | ra << 21 | literal << 13 | 1 << 12 | function << 5 | rc


def _branch(opcode: int, *, ra: int, displacement: int) -> int:
    """Return a branch over ``displacement`` instructions."""
    return opcode << 26 | ra << 21 | signed_field(displacement, bits=21)


def _high(value: int) -> int:
    """Return the upper 16 of 32 bits so that adding the lower ones, sign-extended, gives ``value``."""
    return signed_field((value + 0x8000) >> 16, bits=16)


class Alpha(Isa):
    """Numbers: arch/alpha/kernel/syscalls/syscall.tbl of Linux; the plain getpid and geteuid are getxpid and one that came with 5.1."""

    registers = hardware(arguments=(_A0, _A1, _A2, _A3, _A4), result=_V0, saved=_S0)
    sigusr1 = 30
    syscalls = Syscalls(
        exit=1,
        exit_group=405,
        geteuid=531,
        clone=312,
        sched_yield=334,
        rt_sigaction=352,
        getpid=20,
        kill=37,
        openat=450,
        getdents64=377,
    )

    def constant(self, target: Register, value: int) -> None:
        """LDAH and LDA: up to 0x7FFF7FFF, beyond which the upper part would turn negative."""
        register = self.registers[target]
        self.word(_memory(_LDAH, ra=register, rb=_ZERO, displacement=_high(value)))
        self.word(_memory(_LDA, ra=register, rb=register, displacement=value & 0xFFFF))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target]
        self.word_late(lambda place: _memory(_LDAH, ra=register, rb=_ZERO, displacement=_high(place.address(label))))
        self.word_late(lambda place: _memory(_LDA, ra=register, rb=register, displacement=place.address(label) & 0xFFFF))

    def copy(self, target: Register, source: Register) -> None:
        """BIS: or."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """LDA."""
        register = self.registers[target]
        self.word(_memory(_LDA, ra=register, rb=register, displacement=value))

    def negate(self, target: Register, source: Register) -> None:
        """SUBQ from $31."""
        self.word(_operate(_SUBQ, ra=_ZERO, rb=self.registers[source], rc=self.registers[target]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LDBU, LDQ, or LDL, whose sign is cut off by ZAPNOT."""
        opcode = {Width.BYTE: _LDBU, Width.WORD: _LDL, Width.DOUBLE: _LDQ}[width]
        register = self.registers[target]
        self.word(_memory(opcode, ra=register, rb=self.registers[base], displacement=offset))
        if width is Width.WORD:
            self.word(_operate_literal(_ZAPNOT, ra=register, literal=_LOW_LONGWORD, rc=register))

    def store_word(self, source: Register, base: Register) -> None:
        """STL."""
        self.word(_memory(_STL, ra=self.registers[source], rb=self.registers[base], displacement=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BEQ."""
        self._branch(_BEQ, self.registers[register], label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BLT."""
        self._branch(_BLT, self.registers[register], label)

    def jump(self, label: str) -> None:
        """BR that keeps no return address."""
        self._branch(_BR, _ZERO, label)

    def stack_pointer(self, target: Register) -> None:
        """BIS: or."""
        self._copy(self.registers[target], _SP)

    def system_call(self, number: int) -> None:
        """CALL_PAL with the number in $v0; when $a3 is not zero afterwards, $v0 is errno and not negative."""
        self.word(_memory(_LDA, ra=_V0, rb=_ZERO, displacement=number))
        self.word(_CALLSYS)
        self.word(_branch(_BEQ, ra=_A3, displacement=1))
        self.negate(Register.RESULT, Register.RESULT)

    def sigaction_arguments(self, action: str) -> tuple[Argument, ...]:
        """The restorer is a fifth argument; handlers that never return need none."""
        return (self.sigusr1, action, 0, self.sigset_size, 0)

    def _copy(self, target: int, source: int) -> None:
        self.word(_operate(_BIS, ra=_ZERO, rb=source, rc=target))

    def _branch(self, opcode: int, register: int, label: str) -> None:
        """Append a branch, whose distance counts from the next instruction."""

        def encode(place: Place) -> int:
            return _branch(opcode, ra=register, displacement=place.distance(label) // 4 - 1)

        self.word_late(encode)


def back_end(arch: Arch) -> Isa:
    """Return an empty program for Alpha."""
    return Alpha(arch)
