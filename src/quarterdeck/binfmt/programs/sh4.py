"""Back ends for SuperH in both byte orders. Encodings: SH-4 Software Manual (Renesas ADE-602-156), section 10.

Instructions have 16 bits; longer constants are put together byte by byte, so that no pool of literals is needed.
"""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_R0, _R3, _R4, _R5, _R6, _R7, _R8, _SP = 0, 3, 4, 5, 6, 7, 8, 15

_MOV_L_STORE, _TST, _MOV_L_LOAD, _MOV_B_LOAD, _MOV, _NEG, _EXTU_B = 0x2002, 0x2008, 0x5000, 0x6000, 0x6003, 0x600B, 0x600C
"""Instructions between two registers, without them."""
_CMP_PZ, _SHLL8 = 0x4011, 0x4018
"""Instructions with one register."""
_ADD_IMMEDIATE, _MOV_IMMEDIATE = 0x7000, 0xE000
_BT_OVER_TWO, _BF_OVER_TWO, _BRA, _NOP = 0x8901, 0x8B01, 0xA000, 0x0009
_TRAPA = 0xC300
_SYSCALL_TRAP = 0x15
"""0x10 and the number of arguments: arch/sh/kernel/entry-common.S of Linux takes every number from 0x10 on."""


def _two(opcode: int, *, n: int, m: int) -> int:
    """Return an instruction with a target register n and a source register m."""
    return opcode | n << 8 | m << 4


def _immediate(opcode: int, *, n: int, value: int) -> int:
    """Return an instruction with an immediate of eight bits, sign-extended."""
    return opcode | n << 8 | field(value, bits=8)


def _signed_bytes(value: int) -> tuple[int, ...]:
    """Return four signed bytes, the highest first, that give ``value`` modulo 2^32 when shifted and added."""
    found = []
    for _ in range(4):
        low = (value + 0x80) % 0x100 - 0x80
        found.append(low)
        value = (value - low) >> 8
    return tuple(reversed(found))


class Sh4(Isa):
    """Numbers: arch/sh/kernel/syscalls/syscall.tbl of Linux."""

    registers = hardware(arguments=(_R4, _R5, _R6, _R7, _R0), result=_R0, saved=_R8)
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
        """MOV #imm, then three times SHLL8 and ADD #imm."""
        self._build(self.registers[target], lambda _: value)

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        self._build(self.registers[target], lambda place: place.address(label))

    def copy(self, target: Register, source: Register) -> None:
        """MOV."""
        self._operation(_two(_MOV, n=self.registers[target], m=self.registers[source]))

    def add(self, target: Register, value: int) -> None:
        """ADD #imm."""
        self._operation(_immediate(_ADD_IMMEDIATE, n=self.registers[target], value=value))

    def negate(self, target: Register, source: Register) -> None:
        """NEG."""
        self._operation(_two(_NEG, n=self.registers[target], m=self.registers[source]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """MOV.L @(disp,Rm), or MOV.B @Rm and EXTU.B: there is no MOV.B with a distance for all registers."""
        n, m = self.registers[target], self.registers[base]
        if width is Width.WORD:
            self._operation(_two(_MOV_L_LOAD, n=n, m=m) | offset // Width.WORD)
            return
        self.copy(target, base)
        self.add(target, offset)
        self._operation(_two(_MOV_B_LOAD, n=n, m=n))
        self._operation(_two(_EXTU_B, n=n, m=n))

    def store_word(self, source: Register, base: Register) -> None:
        """MOV.L Rm,@Rn."""
        self._operation(_two(_MOV_L_STORE, n=self.registers[base], m=self.registers[source]))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """TST and, over BF, BRA: conditional branches reach only 256 bytes."""
        self._operation(_two(_TST, n=self.registers[register], m=self.registers[register]))
        self._operation(_BF_OVER_TWO)
        self.jump(label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """CMP/PZ, true from zero on, and, over BT, BRA."""
        self._operation(_CMP_PZ | self.registers[register] << 8)
        self._operation(_BT_OVER_TWO)
        self.jump(label)

    def jump(self, label: str) -> None:
        """BRA, whose distance counts from after its delay slot, and NOP there."""
        self._operation_late(lambda place: _BRA | signed_field((place.distance(label) - 4) // 2, bits=12))
        self._operation(_NOP)

    def stack_pointer(self, target: Register) -> None:
        """MOV from R15."""
        self._operation(_two(_MOV, n=self.registers[target], m=_SP))

    def system_call(self, number: int) -> None:
        """TRAPA with the number in R3."""
        self._build(_R3, lambda _: number)
        self._operation(_TRAPA | _SYSCALL_TRAP)

    def _build(self, register: int, value: Callable[[Place], int]) -> None:
        """Append instructions that put 32 bits together."""
        self._operation_late(lambda place: _immediate(_MOV_IMMEDIATE, n=register, value=_signed_bytes(value(place))[0]))
        for index in (1, 2, 3):
            self._operation(_SHLL8 | register << 8)
            self._add_byte(register, index, value)

    def _add_byte(self, register: int, index: int, value: Callable[[Place], int]) -> None:
        self._operation_late(lambda place: _immediate(_ADD_IMMEDIATE, n=register, value=_signed_bytes(value(place))[index]))

    def _operation(self, word: int) -> None:
        self._operation_late(lambda _: word)

    def _operation_late(self, word: Callable[[Place], int]) -> None:
        self.code.put_late(2, lambda place: word(place).to_bytes(2, self.code_order))


def back_end(arch: Arch) -> Isa:
    """Return an empty program for one of the SuperH architectures."""
    return Sh4(arch)
