"""The few operations that the programs are written in; each family of instruction sets says how they are done.

A back end is a subclass of :class:`Isa` that appends machine code to :attr:`Isa.code`. Nothing here calls, pushes or returns: the
programs need no stack, and hold what they know in virtual registers.

Sources of what differs between architectures: syscall(2) (registers, how a failed call is told), clone(2), and Linux's
``struct sigaction`` in include/linux/signal_types.h.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import ClassVar

from quarterdeck.binfmt.programs.assembler import Place, Section
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core.arch import Arch


class Register(Enum):
    """A virtual register. The arguments and RESULT are lost in a system call and may share hardware registers; SAVED is kept."""

    A0 = "first argument of a system call"
    A1 = "second argument"
    A2 = "third argument"
    A3 = "fourth argument"
    A4 = "fifth argument"
    RESULT = "what a system call returned"
    SAVED = "survives system calls"


class Width(IntEnum):
    """How many bytes are loaded; the rest of the register becomes zero. Pointers: :attr:`Isa.pointer_width`."""

    BYTE = 1
    WORD = 4
    DOUBLE = 8


@dataclass(frozen=True, kw_only=True)
class Syscalls:
    """Numbers of system calls. ``geteuid`` is the variant with 32-bit user ids where there are two."""

    exit: int
    exit_group: int
    geteuid: int
    clone: int
    sched_yield: int
    rt_sigaction: int
    getpid: int
    kill: int
    openat: int
    getdents64: int


GENERIC_SYSCALLS = Syscalls(
    exit=93,
    exit_group=94,
    geteuid=175,
    clone=220,
    sched_yield=124,
    rt_sigaction=134,
    getpid=172,
    kill=129,
    openat=56,
    getdents64=61,
)
"""The table of newer architectures: include/uapi/asm-generic/unistd.h of Linux."""

Argument = Register | int | str
"""What a system call gets: what is in a register, a constant, or the address of a label."""

ARGUMENTS = (Register.A0, Register.A1, Register.A2, Register.A3, Register.A4)


class Isa(ABC):
    """One program being assembled for one architecture.

    Class attributes are what differs besides instructions: ``registers`` hardware numbers of the virtual registers, ``sigusr1`` the
    number of SIGUSR1, ``sigset_size`` bytes of the kernel's sigset_t, ``flags`` e_flags besides those of the architecture table,
    ``unsupported`` probes that this architecture's emulator cannot do (say why in a comment).
    """

    syscalls: ClassVar[Syscalls]
    registers: ClassVar[Mapping[Register, int]]
    sigusr1: ClassVar[int] = 10
    sigset_size: ClassVar[int] = 8
    unsupported: ClassVar[frozenset[Probe]] = frozenset()

    def __init__(self, arch: Arch) -> None:
        self.arch = arch
        self.flags = arch.elf.flags
        self.code_order = arch.elf.order
        """Byte order of instructions; only ARM's differs from that of data."""
        self.pointer_width = Width.DOUBLE if arch.elf.bits == 64 else Width.WORD
        self.code = Section()
        self.data = Section()
        self.zeros = Section()

    # What every back end does in its own way.

    @abstractmethod
    def constant(self, target: Register, value: int) -> None:
        """Load a constant of at most 31 bits and a sign, sign-extended."""

    @abstractmethod
    def address(self, target: Register, label: str) -> None:
        """Load the address of a label, which has less than 31 bits."""

    @abstractmethod
    def copy(self, target: Register, source: Register) -> None:
        """Copy a whole register."""

    @abstractmethod
    def add(self, target: Register, value: int) -> None:
        """Add a constant between -64 and 63."""

    @abstractmethod
    def negate(self, target: Register, source: Register) -> None:
        """Load minus ``source``."""

    @abstractmethod
    def load(self, target: Register, base: Register, *, width: Width, offset: int = 0) -> None:
        """Load from ``base`` + ``offset``, an aligned address. ``target`` may be ``base``.

        ``offset`` is between 0 and 60, of bytes at most 3.
        """

    @abstractmethod
    def store_word(self, source: Register, base: Register) -> None:
        """Store the low 32 bits at the aligned address in ``base``."""

    @abstractmethod
    def branch_if_zero(self, register: Register, label: str) -> None:
        """Go to ``label`` if the low 32 bits, or all, are zero; what is asked has the same answer either way."""

    @abstractmethod
    def branch_if_negative(self, register: Register, label: str) -> None:
        """Go to ``label`` if the register, as a signed number of the pointer's width, is negative."""

    @abstractmethod
    def jump(self, label: str) -> None:
        """Go to ``label``."""

    @abstractmethod
    def stack_pointer(self, target: Register) -> None:
        """Copy the stack pointer."""

    @abstractmethod
    def system_call(self, number: int) -> None:
        """Enter the kernel with the arguments in A0 to A4.

        Afterwards RESULT is what the call returned, or minus errno, as the kernel itself has it: back ends for architectures that tell
        failure by a flag negate errno themselves. In a thread that clone made, RESULT is 0.
        """

    # What is the same nearly everywhere.

    def label(self, name: str) -> None:
        """Call this place of the code ``name``."""
        self.code.label(name)

    def argument_zero(self, target: Register) -> None:
        """Load the address of argv[0]; only right at the program's entry. The stack holds argc there, then argv."""
        self.stack_pointer(target)
        self.load(target, target, width=self.pointer_width, offset=self.pointer_width)

    def call(self, number: int, *arguments: Argument) -> None:
        """Do a system call; arguments are loaded in their order, so a register must not be one that an earlier argument fills."""
        for target, value in zip(ARGUMENTS, arguments, strict=False):
            self._argument(target, value)
        self.system_call(number)

    def _argument(self, target: Register, value: Argument) -> None:
        match value:
            case Register():
                self.copy(target, value)
            case int():
                self.constant(target, value)
            case str():
                self.address(target, value)

    def clone_arguments(self, flags: int, stack: str) -> tuple[Argument, ...]:
        """Return the arguments of clone(2), whose order differs; the last three (ids and thread-local storage) are not used."""
        return (flags, stack, 0, 0, 0)

    def sigaction_arguments(self, action: str) -> tuple[Argument, ...]:
        """Return the arguments of rt_sigaction for SIGUSR1: number, new action, old one, size of the mask."""
        return (self.sigusr1, action, 0, self.sigset_size)

    def put_sigaction(self, handler: str) -> None:
        """Append the kernel's struct sigaction to the data: handler, flags (none), restorer and mask.

        Where there is no restorer field, its zero counts for the mask. Handlers never return, so none needs one.
        """
        self.put_pointer(handler)
        self.data.put(bytes(self.pointer_width * 2 + self.sigset_size))

    def put_pointer(self, label: str) -> None:
        """Append the address of a label to the data."""
        width, order = self.pointer_width, self.arch.elf.order
        self.data.put_late(width, lambda place: place.address(label).to_bytes(width, order))

    # For sets of instructions that are four bytes each.

    def word(self, value: int) -> None:
        """Append an instruction."""
        self.code.put(value.to_bytes(4, self.code_order))

    def word_late(self, value: Callable[[Place], int]) -> None:
        """Append an instruction that depends on addresses."""
        self.code.put_late(4, lambda place: value(place).to_bytes(4, self.code_order))


def field(value: int, *, bits: int) -> int:
    """Return ``value``, signed or not, as a field of ``bits`` bits of an instruction; it must fit."""
    assert -(1 << bits - 1) <= value < 1 << bits, (value, bits)
    return value & ((1 << bits) - 1)


def signed_field(value: int, *, bits: int) -> int:
    """Return a number that the processor extends by its sign, such as the distance of a branch, as a field; it must fit."""
    assert -(1 << bits - 1) <= value < 1 << bits - 1, (value, bits)
    return value & ((1 << bits) - 1)


def hardware(*, arguments: tuple[int, int, int, int, int], result: int, saved: int) -> Mapping[Register, int]:
    """Return the hardware numbers of the virtual registers."""
    return dict(zip(Register, (*arguments, result, saved), strict=True))
