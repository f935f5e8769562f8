"""Back ends for SPARC: 32 bits (version 8, and version 9 as sparc32plus) and 64 bits.

Encodings: The SPARC Architecture Manual, version 8 and version 9, appendix A. Every branch is followed by a delay slot that does
nothing. The programs stay in their first register window.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Argument, Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_G0, _G1, _O0, _O1, _O2, _O3, _O4, _SP, _L0 = 0, 1, 8, 9, 10, 11, 12, 14, 16

_ARITHMETIC, _MEMORY = 2, 3
"""Instruction formats by their first field, op."""
_ADD, _AND, _OR, _SUB, _OR_CC, _SRA, _TICC = 0x00, 0x01, 0x02, 0x04, 0x12, 0x27, 0x3A
_LDUW, _LDUB, _STW, _LDX = 0x00, 0x01, 0x04, 0x0B
_BPCC, _BICC, _SETHI = 1, 2, 4
"""op2 of the instructions whose op is 0."""
_EQUAL, _CARRY_SET, _NEGATIVE, _ALWAYS = 1, 5, 6, 8
"""Conditions of branches and traps."""
_XCC = 2
"""The condition codes of 64-bit results."""
_EF_SPARC_32PLUS = 0x100


def _immediate(kind: int, operation: int, *, rd: int, rs1: int, value: int) -> int:
    """Return a format 3 instruction with a 13-bit immediate."""
    return kind << 30 | rd << 25 | operation << 19 | rs1 << 14 | 1 << 13 | field(value, bits=13)


def _registers(operation: int, *, rd: int, rs1: int, rs2: int) -> int:
    """Return a format 3 instruction between registers."""
    return _ARITHMETIC << 30 | rd << 25 | operation << 19 | rs1 << 14 | rs2


def _sethi(*, rd: int, value: int) -> int:
    """Return SETHI: the upper 22 of 32 bits."""
    return rd << 25 | _SETHI << 22 | value >> 10 & 0x3FFFFF


class Sparc(Isa):
    """What both widths have in common; a call's restorer is an argument of its own: arch/sparc/kernel/sys_sparc_64.c of Linux."""

    registers = hardware(arguments=(_O0, _O1, _O2, _O3, _O4), result=_O0, saved=_L0)
    sigusr1 = 30
    syscalls = Syscalls(
        exit=1,
        exit_group=188,
        geteuid=69,
        clone=217,
        sched_yield=245,
        rt_sigaction=102,
        getpid=20,
        kill=37,
        openat=284,
        getdents64=154,
    )
    trap = 0x10
    window_size = 16 * 4
    """Bytes above the stack pointer where the kernel may save a register window; argc stands after them."""
    stack_bias = 0

    def constant(self, target: Register, value: int) -> None:
        """SETHI, OR, and SRA, which sign-extends 32 bits and changes nothing where there are no more."""
        register = self.registers[target]
        self.word(_sethi(rd=register, value=value))
        self.word(_immediate(_ARITHMETIC, _OR, rd=register, rs1=register, value=value & 0x3FF))
        self.word(_immediate(_ARITHMETIC, _SRA, rd=register, rs1=register, value=0))

    def address(self, target: Register, label: str) -> None:
        """SETHI and OR."""
        register = self.registers[target]

        def low(place: Place) -> int:
            return _immediate(_ARITHMETIC, _OR, rd=register, rs1=register, value=place.address(label) & 0x3FF)

        self.word_late(lambda place: _sethi(rd=register, value=place.address(label)))
        self.word_late(low)

    def copy(self, target: Register, source: Register) -> None:
        """OR with %g0."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """ADD."""
        self._add(self.registers[target], self.registers[target], value)

    def negate(self, target: Register, source: Register) -> None:
        """SUB from %g0."""
        self.word(_registers(_SUB, rd=self.registers[target], rs1=_G0, rs2=self.registers[source]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LDUB, LDUW (LD in version 8) or LDX."""
        operation = {Width.BYTE: _LDUB, Width.WORD: _LDUW, Width.DOUBLE: _LDX}[width]
        self.word(_immediate(_MEMORY, operation, rd=self.registers[target], rs1=self.registers[base], value=offset))

    def store_word(self, source: Register, base: Register) -> None:
        """STW (ST in version 8)."""
        self.word(_immediate(_MEMORY, _STW, rd=self.registers[source], rs1=self.registers[base], value=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """ORcc and BE."""
        self._test(register)
        self._branch(_EQUAL, label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """ORcc and BNEG."""
        self._test(register)
        self._branch(_NEGATIVE, label)

    def jump(self, label: str) -> None:
        """BA."""
        self._branch(_ALWAYS, label)

    def stack_pointer(self, target: Register) -> None:
        """Copy %sp without its bias."""
        self._add(self.registers[target], _SP, self.stack_bias)

    def argument_zero(self, target: Register) -> None:
        """Skip the window's space and argc."""
        self._add(self.registers[target], _SP, self.stack_bias + self.window_size + self.pointer_width)
        self.load(target, target, width=self.pointer_width)

    def system_call(self, number: int) -> None:
        """Ticc with the number in %g1; the carry flag says that %o0 is errno.

        clone tells the thread by one in %o1 and gives it the other's id in %o0: arch/sparc/kernel/process_64.c of Linux.
        """
        self.word(_immediate(_ARITHMETIC, _OR, rd=_G1, rs1=_G0, value=number))
        self.word(_immediate(_ARITHMETIC, _TICC, rd=_ALWAYS, rs1=_G0, value=self.trap))
        self._skip(_CARRY_SET, 4)
        if number == self.syscalls.clone:
            self.word(_immediate(_ARITHMETIC, _SUB, rd=_O1, rs1=_O1, value=1))
            self.word(_registers(_AND, rd=_O0, rs1=_O0, rs2=_O1))
        else:
            self._delay_slot()
            self._delay_slot()
        self._skip(_ALWAYS, 1)
        self.negate(Register.RESULT, Register.RESULT)

    def clone_arguments(self, flags: int, stack: str) -> tuple[Argument, ...]:
        """A stack pointer has a bias in 64-bit programs."""
        self.address(Register.A1, stack)
        self.add(Register.A1, -self.stack_bias)
        return (flags, Register.A1, 0, 0, 0)

    def sigaction_arguments(self, action: str) -> tuple[Argument, ...]:
        """The restorer stands before the size of the mask; handlers that never return need none."""
        return (self.sigusr1, action, 0, 0, self.sigset_size)

    def branch_word(self, condition: int, distance: int) -> int:
        """Return a branch by the flags of 32-bit results, ``distance`` bytes ahead."""
        return condition << 25 | _BICC << 22 | signed_field(distance // 4, bits=22)

    def _copy(self, target: int, source: int) -> None:
        self.word(_registers(_OR, rd=target, rs1=_G0, rs2=source))

    def _add(self, target: int, source: int, value: int) -> None:
        self.word(_immediate(_ARITHMETIC, _ADD, rd=target, rs1=source, value=value))

    def _test(self, register: Register) -> None:
        self.word(_registers(_OR_CC, rd=_G0, rs1=_G0, rs2=self.registers[register]))

    def _branch(self, condition: int, label: str) -> None:
        self.word_late(lambda place: self.branch_word(condition, place.distance(label)))
        self._delay_slot()

    def _skip(self, condition: int, count: int) -> None:
        """Append a branch over ``count`` instructions, not counting its delay slot."""
        self.word(self.branch_word(condition, 4 * (count + 2)))
        self._delay_slot()

    def _delay_slot(self) -> None:
        self.word(_sethi(rd=_G0, value=0))


class Sparc32Plus(Sparc):
    """32-bit programs that say they need version 9, although these do not."""

    def __init__(self, arch: Arch) -> None:
        super().__init__(arch)
        self.flags |= _EF_SPARC_32PLUS


class Sparc64(Sparc):
    """64-bit programs; bias and trap: SPARC Compliance Definition 2.4, arch/sparc/kernel/ttable_64.S of Linux.

    Emulators of QEMU before 8.0 give user ids over 65535 as 65534 here: https://gitlab.com/qemu-project/qemu/-/issues/1394.
    """

    syscalls = Syscalls(
        exit=1,
        exit_group=188,
        geteuid=49,
        clone=217,
        sched_yield=245,
        rt_sigaction=102,
        getpid=20,
        kill=37,
        openat=284,
        getdents64=154,
    )
    trap = 0x6D
    window_size = 16 * 8
    stack_bias = 2047

    def branch_word(self, condition: int, distance: int) -> int:
        """Return a branch by the flags of 64-bit results, the only ones that QEMU's emulated system calls set here."""
        return condition << 25 | _BPCC << 22 | _XCC << 20 | signed_field(distance // 4, bits=19)


_ABIS = {"sparc": Sparc, "sparc32plus": Sparc32Plus, "sparc64": Sparc64}


def back_end(arch: Arch) -> Isa:
    """Return an empty program for one of the SPARC architectures."""
    return _ABIS[arch.name](arch)
