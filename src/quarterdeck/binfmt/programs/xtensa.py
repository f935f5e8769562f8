"""Back ends for Xtensa in both byte orders. Encodings: Xtensa Instruction Set Architecture Reference Manual (2010), chapters 6 and 7.

Instructions have 24 bits. Where the processor is big-endian, not only the bytes but also the fields stand in reverse: an instruction
is therefore a list of fields, from the one that is decoded first. The programs stay in their first register window and use neither
the density option nor literals.
"""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_SP, _A2, _A3, _A4, _A5, _A6, _A8, _A12 = 1, 2, 3, 4, 5, 6, 8, 12

Fields = tuple[tuple[int, int], ...]
"""Value and number of bits, 24 in all."""

_BITS = 24
_NEG, _OR = 0x6, 0x2
"""op2 of instructions between registers, whose op1 is 0."""
_SHIFT_LEFT = 0x1
"""op1 of SLLI."""
_SYSCALL = 0x5
"""r of the instruction whose other fields are 0."""
_L8UI, _L32I, _S32I, _MOVI, _ADDI, _ADDMI = 0x0, 0x2, 0x6, 0xA, 0xC, 0xD
"""r of instructions with an immediate of eight bits, whose op0 is 2."""
_NOT_ZERO, _NOT_NEGATIVE = 1, 3
"""m of the branches BNEZ and BGEZ."""
_JUMP_SIZE = _BITS // 8
_AHEAD = 4
"""Distances count from so many bytes after the beginning of a branch or jump."""


def _registers(op1: int, op2: int, *, r: int = 0, s: int = 0, t: int = 0) -> Fields:
    """Return an RRR instruction with op0 0."""
    return ((0, 4), (t, 4), (s, 4), (r, 4), (op1, 4), (op2, 4))


def _immediate(operation: int, *, s: int, t: int, value: int) -> Fields:
    """Return an RRI8 instruction with op0 2."""
    return ((2, 4), (t, 4), (s, 4), (operation, 4), (field(value, bits=8), 8))


def _movi(*, t: int, value: int) -> Fields:
    """Return MOVI: an immediate of 12 bits, whose upper part stands in s."""
    value = field(value, bits=12)
    return _immediate(_MOVI, s=value >> 8, t=t, value=value & 0xFF)


def _shift_left(*, register: int, count: int) -> Fields:
    """Return SLLI by 1 to 31: it holds what remains of 32, the upper bit in op2."""
    rest = 32 - count
    return _registers(_SHIFT_LEFT, rest >> 4, r=register, s=register, t=rest & 0xF)


def _signed_bytes(value: int) -> tuple[int, int, int, int]:
    """Return what is above the lowest three bytes, and these, all signed, so that they give ``value`` when shifted and added."""
    parts = []
    for _ in range(3):
        low = (value + 0x80) % 0x100 - 0x80
        parts.append(low)
        value = value - low >> 8
    low, middle, upper = parts
    return value, upper, middle, low


class Xtensa(Isa):
    """Numbers: arch/xtensa/kernel/syscalls/syscall.tbl of Linux; registers: arch/xtensa/kernel/entry.S."""

    registers = hardware(arguments=(_A6, _A3, _A4, _A5, _A8), result=_A2, saved=_A12)
    syscalls = Syscalls(
        exit=118,
        exit_group=119,
        geteuid=140,
        clone=116,
        sched_yield=219,
        rt_sigaction=226,
        getpid=120,
        kill=123,
        openat=288,
        getdents64=60,
    )

    def constant(self, target: Register, value: int) -> None:
        """MOVI, and with SLLI between them ADDI, ADDMI and ADDI, which add signed bytes."""
        self._build(self.registers[target], lambda _: value)

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        self._build(self.registers[target], lambda place: place.address(label))

    def copy(self, target: Register, source: Register) -> None:
        """OR of a register with itself."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """ADDI."""
        register = self.registers[target]
        self._put(_immediate(_ADDI, s=register, t=register, value=value))

    def negate(self, target: Register, source: Register) -> None:
        """NEG."""
        self._put(_registers(0, _NEG, r=self.registers[target], t=self.registers[source]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """L8UI or L32I."""
        operation = _L8UI if width is Width.BYTE else _L32I
        self._put(_immediate(operation, s=self.registers[base], t=self.registers[target], value=offset // width))

    def store_word(self, source: Register, base: Register) -> None:
        """S32I."""
        self._put(_immediate(_S32I, s=self.registers[base], t=self.registers[source], value=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BNEZ over J: conditional branches reach only 2 KiB."""
        self._skip_jump(_NOT_ZERO, self.registers[register])
        self.jump(label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BGEZ over J."""
        self._skip_jump(_NOT_NEGATIVE, self.registers[register])
        self.jump(label)

    def jump(self, label: str) -> None:
        """J: op0 6, n 0."""
        self._put_late(lambda place: ((6, 4), (0, 2), (signed_field(place.distance(label) - _AHEAD, bits=18), 18)))

    def stack_pointer(self, target: Register) -> None:
        """OR of a1 with itself."""
        self._copy(self.registers[target], _SP)

    def system_call(self, number: int) -> None:
        """SYSCALL with the number in a2."""
        self._put(_movi(t=_A2, value=number))
        self._put(_registers(0, 0, r=_SYSCALL))

    def _copy(self, target: int, source: int) -> None:
        self._put(_registers(0, _OR, r=target, s=source, t=source))

    def _skip_jump(self, condition: int, register: int) -> None:
        """Append a branch over the next instruction: op0 6, n 1."""
        distance = 2 * _JUMP_SIZE - _AHEAD
        self._put(((6, 4), (1, 2), (condition, 2), (register, 4), (distance, 12)))

    def _build(self, register: int, value: Callable[[Place], int]) -> None:
        """Append instructions that put a constant together."""

        def add(operation: int, index: int) -> None:
            self._put_late(lambda place: _immediate(operation, s=register, t=register, value=_signed_bytes(value(place))[index]))

        self._put_late(lambda place: _movi(t=register, value=_signed_bytes(value(place))[0]))
        self._put(_shift_left(register=register, count=8))
        add(_ADDI, 1)
        self._put(_shift_left(register=register, count=16))
        add(_ADDMI, 2)
        add(_ADDI, 3)

    def _put(self, fields: Fields) -> None:
        self._put_late(lambda _: fields)

    def _put_late(self, fields: Callable[[Place], Fields]) -> None:
        self.code.put_late(_BITS // 8, lambda place: self._packed(fields(place)))

    def _packed(self, fields: Fields) -> bytes:
        """Return the bytes: the first field has the lowest bits when little-endian, the highest when big-endian."""
        word, position = 0, 0
        for value, bits in fields:
            word |= value << (position if self.arch.elf.little else _BITS - position - bits)
            position += bits
        return word.to_bytes(_BITS // 8, self.code_order)


def back_end(arch: Arch) -> Isa:
    """Return an empty program for one of the Xtensa architectures."""
    return Xtensa(arch)
