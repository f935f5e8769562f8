"""Back end for s390x, with what every processor has since z9.

Encodings: z/Architecture Principles of Operation (SA22-7832), appendix B; numbers: arch/s390/kernel/syscalls/syscall.tbl of Linux.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Argument, Isa, Register, Syscalls, Width, field, hardware
from quarterdeck.core.arch import Arch

_R1, _R2, _R15 = 1, 2, 15
_LGFI, _BRCL = 0xC01, 0xC04
"""Format RIL: 8 and 4 bits of the opcode around the first register, and 32 bits."""
_AGHI = 0xA7B
"""Format RI: the same with 16 bits."""
_LTGR, _LCGR, _LGR = 0xB902, 0xB903, 0xB904
"""Format RRE: two registers."""
_LOAD = {Width.BYTE: 0xE390, Width.WORD: 0xE316, Width.DOUBLE: 0xE304}
_STY = 0xE350
"""Format RXY: 8 bits of the opcode at each end; register, index (none), base and displacement between them."""
_SVC = 0x0A00
_IF_ZERO, _IF_NEGATIVE, _ALWAYS = 8, 4, 15
"""Masks of the condition code that LTGR sets."""


class S390x(Isa):
    """z/Architecture."""

    registers = hardware(arguments=(_R2, 3, 4, 5, 6), result=_R2, saved=8)
    syscalls = Syscalls(
        exit=1,
        exit_group=248,
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
        """LGFI, which extends the sign."""
        self._constant(self.registers[target], value)

    def _constant(self, r1: int, value: int) -> None:
        self.code.put(_split(_LGFI, r1, value, bits=32))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        r1 = self.registers[target]
        self.code.put_late(6, lambda place: _split(_LGFI, r1, place.address(label), bits=32))

    def copy(self, target: Register, source: Register) -> None:
        """LGR."""
        self._both(_LGR, self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """AGHI."""
        self.code.put(_split(_AGHI, self.registers[target], value, bits=16))

    def negate(self, target: Register, source: Register) -> None:
        """LCGR."""
        self._both(_LCGR, self.registers[target], self.registers[source])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LLGC, LLGF, LG."""
        self._memory(_LOAD[width], target, base, offset)

    def store_word(self, source: Register, base: Register) -> None:
        """STY."""
        self._memory(_STY, source, base, 0)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """LTGR and BRCL."""
        self._test(register)
        self._branch(_IF_ZERO, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """LTGR and BRCL."""
        self._test(register)
        self._branch(_IF_NEGATIVE, label)

    def jump(self, label: str) -> None:
        """BRCL."""
        self._branch(_ALWAYS, label)

    def stack_pointer(self, target: Register) -> None:
        """LGR."""
        self._both(_LGR, self.registers[target], _R15)

    def system_call(self, number: int) -> None:
        """The number is in r1; SVC 0."""
        self._constant(_R1, number)
        self.code.put(_SVC.to_bytes(2, "big"))

    def clone_arguments(self, flags: int, stack: str) -> tuple[Argument, ...]:
        """The stack comes first (CONFIG_CLONE_BACKWARDS2)."""
        return (stack, flags, 0, 0, 0)

    def _both(self, opcode: int, r1: int, r2: int) -> None:
        self.code.put((opcode << 16 | r1 << 4 | r2).to_bytes(4, "big"))

    def _test(self, register: Register) -> None:
        self._both(_LTGR, self.registers[register], self.registers[register])

    def _memory(self, opcode: int, r1: Register, base: Register, displacement: int) -> None:
        """Append r1, no index, the base, and the low 12 bits of the displacement; its high 8 bits are zero."""
        fields = self.registers[r1] << 28 | self.registers[base] << 20 | displacement << 8
        self.code.put(bytes([opcode >> 8]) + fields.to_bytes(4, "big") + bytes([opcode & 0xFF]))

    def _branch(self, mask: int, label: str) -> None:
        """Append a branch, whose distance counts in half words."""
        self.code.put_late(6, lambda place: _split(_BRCL, mask, place.distance(label) // 2, bits=32))


def _split(opcode: int, r1: int, immediate: int, *, bits: int) -> bytes:
    """Return an instruction whose 12-bit opcode is divided by its first operand."""
    first = opcode >> 4 << 8 | r1 << 4 | opcode & 0xF
    return first.to_bytes(2, "big") + field(immediate, bits=bits).to_bytes(bits // 8, "big")


def back_end(arch: Arch) -> Isa:
    """Return an empty program."""
    return S390x(arch)
