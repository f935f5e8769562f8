"""Back ends for x86_64 and i386. Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2."""

from __future__ import annotations

from quarterdeck.binfmt.programs.isa import Isa, Register, Syscalls, Width, field, hardware
from quarterdeck.core.arch import Arch

_RAX, _RCX, _RDX, _RBX, _RSP, _RBP, _RSI, _RDI, _R8, _R10 = 0, 1, 2, 3, 4, 5, 6, 7, 8, 10
_SA_RESTORER = 0x04000000
"""arch/x86/include/uapi/asm/signal.h."""


class X86(Isa):
    """What both have in common; addresses and constants fit in 32 bits on both."""

    def constant(self, target: Register, value: int) -> None:
        """MOV r/m, imm32, sign-extended."""
        self._operate(0xC7, 0, self.registers[target], tail=field(value, bits=32).to_bytes(4, "little"))

    def address(self, target: Register, label: str) -> None:
        """The same with an address."""
        self._operate(0xC7, 0, self.registers[target])
        self.code.put_late(4, lambda place: place.address(label).to_bytes(4, "little"))

    def copy(self, target: Register, source: Register) -> None:
        """MOV r/m, r."""
        self._operate(0x89, self.registers[source], self.registers[target])

    def add(self, target: Register, value: int) -> None:
        """ADD r/m, imm8."""
        self._operate(0x83, 0, self.registers[target], tail=bytes([field(value, bits=8)]))

    def negate(self, target: Register, source: Register) -> None:
        """NEG r/m."""
        self.copy(target, source)
        self._operate(0xF7, 3, self.registers[target])

    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """MOVZX or MOV r, [base + disp8]; a 32-bit MOV clears the upper half."""
        opcode = (0x0F, 0xB6) if width is Width.BYTE else (0x8B,)
        self._memory(opcode, self.registers[target], self.registers[base], offset=offset, wide=width is Width.DOUBLE)

    def store_word(self, source: Register, base: Register) -> None:
        """MOV [base], r32."""
        self._memory((0x89,), self.registers[source], self.registers[base], offset=0, wide=False)

    def branch_if_zero(self, register: Register, label: str) -> None:
        """TEST and JZ."""
        self._test(register)
        self._branch(b"\x0f\x84", label)

    def branch_if_negative(self, register: Register, label: str) -> None:
        """TEST and JS."""
        self._test(register)
        self._branch(b"\x0f\x88", label)

    def jump(self, label: str) -> None:
        """JMP rel32."""
        self._branch(b"\xe9", label)

    def stack_pointer(self, target: Register) -> None:
        """MOV r, rSP."""
        self._operate(0x89, _RSP, self.registers[target])

    def put_sigaction(self, handler: str) -> None:
        """The kernel refuses to deliver a signal on x86_64 without a restorer, even if it is never reached."""
        self.put_pointer(handler)
        self.data.put(_SA_RESTORER.to_bytes(self.pointer_width, "little"))
        self.put_pointer(handler)
        self.data.put(bytes(self.sigset_size))

    def _test(self, register: Register) -> None:
        self._operate(0x85, self.registers[register], self.registers[register])

    def _branch(self, opcode: bytes, label: str) -> None:
        """Append a branch whose distance counts from the next instruction."""
        self.code.put(opcode)
        self.code.put_late(4, lambda place: (place.distance(label) - 4).to_bytes(4, "little", signed=True))

    def _operate(self, opcode: int, reg: int, rm: int, *, tail: bytes = b"") -> None:
        """Append an instruction between two whole registers: ModRM with mod 3."""
        self.code.put(self._rex(reg, rm, wide=True) + bytes([opcode, 0xC0 | (reg & 7) << 3 | rm & 7]) + tail)

    def _memory(self, opcode: tuple[int, ...], reg: int, base: int, *, offset: int, wide: bool) -> None:
        """Append an instruction with [base + disp8]: ModRM with mod 1. No virtual register is RSP or R12, which would need a SIB byte."""
        modrm = 0x40 | (reg & 7) << 3 | base & 7
        self.code.put(self._rex(reg, base, wide=wide) + bytes([*opcode, modrm, field(offset, bits=8)]))

    def _rex(self, reg: int, rm: int, *, wide: bool) -> bytes:
        """Return the prefix of 64-bit mode if one is needed: W for 64-bit operands, R and B for the upper registers."""
        bits = wide << 3 | (reg >> 3) << 2 | rm >> 3
        return bytes([0x40 | bits]) if bits and self.arch.elf.bits == 64 else b""


class X8664(X86):
    """x86_64; numbers: arch/x86/entry/syscalls/syscall_64.tbl of Linux."""

    registers = hardware(arguments=(_RDI, _RSI, _RDX, _R10, _R8), result=_RAX, saved=_RBX)
    syscalls = Syscalls(
        exit=60,
        exit_group=231,
        geteuid=107,
        clone=56,
        sched_yield=24,
        rt_sigaction=13,
        getpid=39,
        kill=62,
        openat=257,
        getdents64=217,
    )

    def system_call(self, number: int) -> None:
        """MOV and SYSCALL."""
        self._operate(0xC7, 0, _RAX, tail=number.to_bytes(4, "little"))
        self.code.put(b"\x0f\x05")


class I386(X86):
    """i386; numbers: arch/x86/entry/syscalls/syscall_32.tbl of Linux."""

    registers = hardware(arguments=(_RBX, _RCX, _RDX, _RSI, _RDI), result=_RAX, saved=_RBP)
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

    def system_call(self, number: int) -> None:
        """MOV and INT 0x80."""
        self._operate(0xC7, 0, _RAX, tail=number.to_bytes(4, "little"))
        self.code.put(b"\xcd\x80")


def back_end(arch: Arch) -> Isa:
    """Return an empty program for x86_64 or i386."""
    return X8664(arch) if arch.elf.bits == 64 else I386(arch)
