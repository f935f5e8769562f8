"""Back ends for MIPS: the o32, n32 and n64 ABIs in both byte orders.

Encodings: MIPS Architecture for Programmers, volumes II-A (MIPS32) and II-A (MIPS64), revision 6.06; nothing of MIPS64 is used below
n64, so the programs run on every processor of either width. Every branch is followed by a delay slot that does nothing.
"""

from __future__ import annotations

from quarterdeck.binfmt.programs.assembler import Place
from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware, signed_field
from quarterdeck.core.arch import Arch

_ZERO, _V0, _A0, _A1, _A2, _A3, _A4, _S0, _SP = 0, 2, 4, 5, 6, 7, 8, 16, 29

_SPECIAL, _REGIMM, _BEQ, _ADDIU, _ORI, _LUI, _DADDIU = 0x00, 0x01, 0x04, 0x09, 0x0D, 0x0F, 0x19
_LW, _LBU, _LWU, _SW, _LD = 0x23, 0x24, 0x27, 0x2B, 0x37
_SYSCALL, _SUBU, _OR, _DSUBU = 0x0C, 0x23, 0x25, 0x2F
"""Function codes of SPECIAL."""
_BLTZ = 0x00
"""Condition of REGIMM."""


def _immediate(opcode: int, *, rs: int, rt: int, value: int) -> int:
    """Return an I-type instruction."""
    return opcode << 26 | rs << 21 | rt << 16 | field(value, bits=16)


def _registers(function: int, *, rd: int = 0, rs: int = 0, rt: int = 0) -> int:
    """Return an R-type instruction of SPECIAL."""
    return _SPECIAL << 26 | rs << 21 | rt << 16 | rd << 11 | function


class Mips(Isa):
    """What the ABIs have in common. The fifth argument of o32 is on the stack; no call here uses one, so $8 is right for all."""

    registers = hardware(arguments=(_A0, _A1, _A2, _A3, _A4), result=_V0, saved=_S0)
    sigusr1 = 16
    sigset_size = 16
    add_immediate = _ADDIU
    subtract = _SUBU
    load_word = _LW

    def constant(self, target: Register, value: int) -> None:
        """LUI, which sign-extends, and ORI."""
        register = self.registers[target]
        self.word(_immediate(_LUI, rs=_ZERO, rt=register, value=value >> 16))
        self.word(_immediate(_ORI, rs=register, rt=register, value=value & 0xFFFF))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        register = self.registers[target]
        self.word_late(lambda place: _immediate(_LUI, rs=_ZERO, rt=register, value=place.address(label) >> 16))
        self.word_late(lambda place: _immediate(_ORI, rs=register, rt=register, value=place.address(label) & 0xFFFF))

    def copy(self, target: Register, source: Register) -> None:
        """OR with $0."""
        self._copy(self.registers[target], self.registers[source])

    def add(self, target: Register, value: int) -> None:
        """ADDIU or DADDIU."""
        register = self.registers[target]
        self.word(_immediate(self.add_immediate, rs=register, rt=register, value=value))

    def negate(self, target: Register, source: Register) -> None:
        """SUBU or DSUBU from $0."""
        self.word(_registers(self.subtract, rd=self.registers[target], rs=_ZERO, rt=self.registers[source]))

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """LBU, LW or LWU, LD."""
        opcode = {Width.BYTE: _LBU, Width.WORD: self.load_word, Width.DOUBLE: _LD}[width]
        self.word(_immediate(opcode, rs=self.registers[base], rt=self.registers[target], value=offset))

    def store_word(self, source: Register, base: Register) -> None:
        """SW."""
        self.word(_immediate(_SW, rs=self.registers[base], rt=self.registers[source], value=0))

    def branch_if_zero(self, register: Register, label: str) -> None:
        """BEQ with $0."""
        self._branch(_BEQ, rs=self.registers[register], rt=_ZERO, label=label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """BLTZ."""
        self._branch(_REGIMM, rs=self.registers[register], rt=_BLTZ, label=label)

    def jump(self, label: str) -> None:
        """BEQ of $0 with itself."""
        self._branch(_BEQ, rs=_ZERO, rt=_ZERO, label=label)

    def stack_pointer(self, target: Register) -> None:
        """OR with $0."""
        self._copy(self.registers[target], _SP)

    def system_call(self, number: int) -> None:
        """SYSCALL with the number in $v0; when $a3 is not zero afterwards, $v0 is errno and not negative."""
        self.word(_immediate(_ORI, rs=_ZERO, rt=_V0, value=number))
        self.word(_registers(_SYSCALL))
        self.word(_immediate(_BEQ, rs=_A3, rt=_ZERO, value=2))
        self._delay_slot()
        self.negate(Register.RESULT, Register.RESULT)

    def put_sigaction(self, handler: str) -> None:
        """Flags come first, an int that is padded to a pointer; arch/mips/include/uapi/asm/signal.h."""
        self.data.put(bytes(self.pointer_width))
        self.put_pointer(handler)
        self.data.put(bytes(self.sigset_size + self.pointer_width))

    def _copy(self, target: int, source: int) -> None:
        self.word(_registers(_OR, rd=target, rs=source, rt=_ZERO))

    def _branch(self, opcode: int, *, rs: int, rt: int, label: str) -> None:
        """Append a branch, whose distance counts instructions from its delay slot."""

        def encode(place: Place) -> int:
            return _immediate(opcode, rs=rs, rt=rt, value=signed_field(place.distance(label) // 4 - 1, bits=16))

        self.word_late(encode)
        self._delay_slot()

    def _delay_slot(self) -> None:
        """SLL $0, $0, 0: the canonical no-operation."""
        self.word(0)


class O32(Mips):
    """The 32-bit ABI; numbers: arch/mips/kernel/syscalls/syscall_o32.tbl of Linux, from 4000."""

    syscalls = Syscalls(
        exit=4001,
        exit_group=4246,
        geteuid=4049,
        clone=4120,
        sched_yield=4162,
        rt_sigaction=4194,
        getpid=4020,
        kill=4037,
        openat=4288,
        getdents64=4219,
    )


class N32(Mips):
    """32-bit pointers on a 64-bit processor; numbers: syscall_n32.tbl, from 6000.

    Words are loaded sign-extended: that is what an address is here.
    """

    syscalls = Syscalls(
        exit=6058,
        exit_group=6205,
        geteuid=6105,
        clone=6055,
        sched_yield=6023,
        rt_sigaction=6013,
        getpid=6038,
        kill=6060,
        openat=6251,
        getdents64=6299,
    )


class N64(Mips):
    """The 64-bit ABI; numbers: syscall_n64.tbl, from 5000."""

    add_immediate = _DADDIU
    subtract = _DSUBU
    load_word = _LWU
    syscalls = Syscalls(
        exit=5058,
        exit_group=5205,
        geteuid=5105,
        clone=5055,
        sched_yield=5023,
        rt_sigaction=5013,
        getpid=5038,
        kill=5060,
        openat=5247,
        getdents64=5308,
    )


_ABIS = {"mips": O32, "mipsel": O32, "mipsn32": N32, "mipsn32el": N32, "mips64": N64, "mips64el": N64}


def back_end(arch: Arch) -> Isa:
    """Return an empty program for one of the MIPS architectures."""
    return _ABIS[arch.name](arch)
