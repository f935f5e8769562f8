"""Back end for m68k. Encodings: M68000 Family Programmer's Reference Manual, sections 3 and 4; nothing newer than the 68000.

Virtual registers are data registers; memory is reached through A0, which no system call here uses.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware
from quarterdeck.core.arch import Arch

_D0, _D1, _D2, _D3, _D4, _D5, _D6 = 0, 1, 2, 3, 4, 5, 6
_A0, _SP = 0, 7

_DATA, _ADDRESS, _INDIRECT, _DISPLACED, _OTHER = 0, 1, 2, 5, 7
"""Addressing modes: Dn, An, (An), (d16,An), and those that the register field tells apart."""
_IMMEDIATE = 4
"""Register field of an immediate operand, in the mode _OTHER."""
_MOVE_BYTE, _MOVE_LONG = 0x1000, 0x2000
_ADDI, _NEG, _TST, _TRAP, _MOVEQ = 0x0680, 0x4480, 0x4A80, 0x4E40, 0x7000
"""Long variants, without operands."""
_BRA, _BEQ, _BMI = 0x6000, 0x6700, 0x6B00
"""Branches whose distance of 16 bits follows."""


def _move(size: int, *, target: tuple[int, int], source: tuple[int, int]) -> int:
    """Return MOVE; operands are mode and register, which stand in opposite orders."""
    (target_mode, target_register), (source_mode, source_register) = target, source
    return size | target_register << 9 | target_mode << 6 | source_mode << 3 | source_register


class M68k(Isa):
    """Numbers: arch/m68k/kernel/syscalls/syscall.tbl of Linux."""

    registers = hardware(arguments=(_D1, _D2, _D3, _D4, _D5), result=_D0, saved=_D6)
    syscalls = Syscalls(
        exit=1,
        exit_group=247,
        geteuid=201,
        clone=120,
        sched_yield=158,
        rt_sigaction=174,
        getpid=20,
        kill=37,
        openat=288,
        getdents64=220,
    )

    def constant(self, target: Register, value: int) -> None:
        """MOVE.L #."""
        self._load_long(self.registers[target], value)

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        self._operation(_move(_MOVE_LONG, target=(_DATA, self.registers[target]), source=(_OTHER, _IMMEDIATE)))
        self.code.put_late(4, lambda place: place.address(label).to_bytes(4, "big"))

    def copy(self, target: Register, source: Register) -> None:
        """MOVE.L."""
        self._operation(_move(_MOVE_LONG, target=(_DATA, self.registers[target]), source=(_DATA, self.registers[source])))

    def add(self, target: Register, value: int) -> None:
        """ADDI.L."""
        self._operation(_ADDI | self.registers[target])
        self.code.put(field(value, bits=32).to_bytes(4, "big"))

    def negate(self, target: Register, source: Register) -> None:
        """NEG.L."""
        self.copy(target, source)
        self._operation(_NEG | self.registers[target])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """MOVE from (d16,A0); that of a byte leaves the rest of the register, which MOVEQ clears."""
        register = self.registers[target]
        self._point(base)
        size = _MOVE_LONG
        if width is Width.BYTE:
            self._operation(_MOVEQ | register << 9)
            size = _MOVE_BYTE
        self._operation(_move(size, target=(_DATA, register), source=(_DISPLACED, _A0)))
        self.code.put(field(offset, bits=16).to_bytes(2, "big"))

    def store_word(self, source: Register, base: Register) -> None:
        """MOVE.L to (A0)."""
        self._point(base)
        self._operation(_move(_MOVE_LONG, target=(_INDIRECT, _A0), source=(_DATA, self.registers[source])))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """TST.L and BEQ."""
        self._operation(_TST | self.registers[register])
        self._branch(_BEQ, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """TST.L and BMI."""
        self._operation(_TST | self.registers[register])
        self._branch(_BMI, label)

    def jump(self, label: str) -> None:
        """BRA."""
        self._branch(_BRA, label)

    def stack_pointer(self, target: Register) -> None:
        """MOVE.L from A7."""
        self._operation(_move(_MOVE_LONG, target=(_DATA, self.registers[target]), source=(_ADDRESS, _SP)))

    def system_call(self, number: int) -> None:
        """TRAP #0 with the number in D0."""
        self._load_long(_D0, number)
        self._operation(_TRAP)

    def _load_long(self, register: int, value: int) -> None:
        self._operation(_move(_MOVE_LONG, target=(_DATA, register), source=(_OTHER, _IMMEDIATE)))
        self.code.put(field(value, bits=32).to_bytes(4, "big"))

    def _point(self, base: Register) -> None:
        """MOVEA.L to A0."""
        self._operation(_move(_MOVE_LONG, target=(_ADDRESS, _A0), source=(_DATA, self.registers[base])))

    def _branch(self, opcode: int, label: str) -> None:
        """Append a branch, whose distance counts from the distance itself."""
        self._operation(opcode)
        self.code.put_late(2, lambda place: place.distance(label).to_bytes(2, "big", signed=True))

    def _operation(self, word: int) -> None:
        self.code.put(word.to_bytes(2, "big"))


def back_end(arch: Arch) -> Isa:
    """Return an empty program for m68k."""
    return M68k(arch)
