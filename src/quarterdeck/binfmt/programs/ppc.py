"""Back end for ppc, ppc64 and ppc64le.

Encodings: Power ISA version 3.1, book I; a failed system call sets the summary overflow bit of CR0: Documentation/arch/powerpc/
syscall64-abi.rst of Linux; numbers: arch/powerpc/kernel/syscalls/syscall.tbl.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _R1, _R3 = 0, 1, 3
_ADDI, _ADDIS, _ORI, _COMPARE, _BRANCH_IF, _BRANCH, _SYSTEM_CALL, _EXTENDED, _STORE_WORD = 14, 15, 24, 11, 16, 18, 17, 31, 36
"""Primary opcodes."""
_LOAD = {Width.BYTE: 34, Width.WORD: 32, Width.DOUBLE: 58}
_OR, _NEG = 444, 104
"""Extended opcodes."""
_IF_TRUE, _IF_FALSE = 12, 4
"""BO field of a conditional branch."""
_LESS, _EQUAL, _SUMMARY_OVERFLOW = 0, 2, 3
"""Bits of CR0."""
_ELF_V2 = 2
"""EF_PPC64_ABI: addresses of functions are those of their code, not of descriptors, also where the C libraries' ABI is version 1."""


class Power(Isa):
    """32 and 64 bits, both byte orders."""

    registers = hardware(arguments=(3, 4, 5, 6, 7), result=_R3, saved=14)
    syscalls = Syscalls(
        exit=1,
        exit_group=234,
        geteuid=49,
        clone=120,
        sched_yield=158,
        rt_sigaction=173,
        getpid=20,
        kill=37,
        openat=286,
        getdents64=202,
    )

    def __init__(self, arch: Arch) -> None:
        super().__init__(arch)
        self.flags |= _ELF_V2 if arch.elf.bits == 64 else 0

    def constant(self, target: Register, value: int) -> None:
        """ADDIS, which extends the sign, and ORI."""
        self._constant(self.registers[target], value)

    def _constant(self, rt: int, value: int) -> None:
        self.word(_upper(rt, value))
        self.word(_lower(rt, value))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        rt = self.registers[target]
        self.word_late(lambda place: _upper(rt, place.address(label)))
        self.word_late(lambda place: _lower(rt, place.address(label)))

    def copy(self, target: Register, source: Register) -> None:
        """OR of a register with itself."""
        self._copy(target, self.registers[source])

    def _copy(self, target: Register, source: int) -> None:
        self.word(_d_form(_EXTENDED, source, self.registers[target], source << 11 | _OR << 1))

    def add(self, target: Register, value: int) -> None:
        """ADDI."""
        self.word(_d_form(_ADDI, self.registers[target], self.registers[target], value))

    def negate(self, target: Register, source: Register) -> None:
        """NEG."""
        self.word(_d_form(_EXTENDED, self.registers[target], self.registers[source], _NEG << 1))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LBZ, LWZ, LD."""
        self.word(_d_form(_LOAD[width], self.registers[target], self.registers[base], offset))

    def store_word(self, source: Register, base: Register) -> None:
        """STW."""
        self.word(_d_form(_STORE_WORD, self.registers[source], self.registers[base], 0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """CMPI and BC."""
        self._compare(register)
        self._branch_if(_EQUAL, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """CMPI and BC."""
        self._compare(register)
        self._branch_if(_LESS, label)

    def jump(self, label: str) -> None:
        """B."""
        self.word_late(lambda place: _BRANCH << 26 | signed_field(place.distance(label), bits=26))

    def stack_pointer(self, target: Register) -> None:
        """OR of r1 with itself."""
        self._copy(target, _R1)

    def system_call(self, number: int) -> None:
        """The number is in r0; SC. Then NEG, jumped over unless the call failed."""
        self._constant(_R0, number)
        self.word(_SYSTEM_CALL << 26 | 2)
        self.word(_d_form(_BRANCH_IF, _IF_FALSE, _SUMMARY_OVERFLOW, 8))
        self.negate(Register.RESULT, Register.RESULT)

    def _compare(self, register: Register) -> None:
        """Compare all of a register with zero, signed; L says whether it has 64 bits."""
        self.word(_d_form(_COMPARE, int(self.arch.elf.bits == 64), self.registers[register], 0))

    def _branch_if(self, condition: int, label: str) -> None:
        self.word_late(lambda place: _d_form(_BRANCH_IF, _IF_TRUE, condition, place.distance(label)))


def _d_form(opcode: int, first: int, second: int, immediate: int) -> int:
    return opcode << 26 | first << 21 | second << 16 | field(immediate, bits=16)


def _upper(rt: int, value: int) -> int:
    return _d_form(_ADDIS, rt, 0, value >> 16)


def _lower(rt: int, value: int) -> int:
    return _d_form(_ORI, rt, rt, value & 0xFFFF)


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return Power(arch)
