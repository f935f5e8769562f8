"""What the programs do, written once in the operations of :class:`~quarterdeck.binfmt.programs.isa.Isa`.

Sources: clone(2), getdents(2), sigaction(2). Numbers are those of Linux's uapi headers, the same on every architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quarterdeck.binfmt.programs.isa import Argument, Isa, Register, Width
from quarterdeck.binfmt.programs.probe import EOVERFLOW_STATUS, EXEC_STATUS, Probe

_A0, _RESULT, _SAVED = Register.A0, Register.RESULT, Register.SAVED

_CLONE_VM, _CLONE_FS, _CLONE_FILES, _CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
_CLONE_THREAD, _CLONE_SYSVSEM = 0x10000, 0x40000
# Exactly what C libraries ask for: QEMU's user mode knows threads by these flags together.
_THREAD = _CLONE_VM | _CLONE_FS | _CLONE_FILES | _CLONE_SIGHAND | _CLONE_THREAD | _CLONE_SYSVSEM
_STACK = 4096
_TURNS = 4_000_000
"""How often the main thread gives way before it gives up: a second on an idle host, longer the busier it is."""

_AT_FDCWD = -100
_BUFFER = 2048
_D_OFF = 8
"""Offset of the 64-bit d_off in struct linux_dirent64."""


def _exit_group(isa: Isa, status: Argument) -> None:
    isa.call(isa.syscalls.exit_group, status)


def _exec(isa: Isa) -> None:
    _exit_group(isa, EXEC_STATUS)


def _argv0(isa: Isa) -> None:
    isa.argument_zero(_A0)
    isa.load(_A0, _A0, width=Width.BYTE)
    isa.system_call(isa.syscalls.exit_group)


def _credentials(isa: Isa) -> None:
    isa.call(isa.syscalls.geteuid)
    _exit_group(isa, _RESULT)


def _threads(isa: Isa) -> None:
    isa.call(isa.syscalls.clone, *isa.clone_arguments(_THREAD, "stack"))
    isa.branch_if_zero(_RESULT, "thread")
    isa.branch_if_negative(_RESULT, "failed")
    isa.constant(_SAVED, _TURNS)
    isa.label("wait")
    isa.call(isa.syscalls.sched_yield)
    isa.address(_A0, "word")
    isa.load(_A0, _A0, width=Width.WORD)
    isa.branch_if_zero(_A0, "not yet")
    _exit_group(isa, 0)
    isa.label("not yet")
    isa.add(_SAVED, -1)
    isa.branch_if_zero(_SAVED, "failed")
    isa.jump("wait")
    isa.label("failed")
    _exit_group(isa, 1)
    isa.label("thread")
    isa.address(_A0, "word")
    isa.constant(_SAVED, 1)
    isa.store_word(_SAVED, _A0)
    isa.call(isa.syscalls.exit, 0)
    isa.zeros.label("word")
    isa.zeros.put(bytes(_STACK))
    # In the middle, since stacks grow downwards on most architectures and upwards on one.
    isa.zeros.label("stack")
    isa.zeros.put(bytes(_STACK))


def _signal(isa: Isa) -> None:
    isa.call(isa.syscalls.rt_sigaction, *isa.sigaction_arguments("action"))
    isa.call(isa.syscalls.getpid)
    isa.call(isa.syscalls.kill, _RESULT, isa.sigusr1)
    _exit_group(isa, 1)
    isa.label("handler")
    _exit_group(isa, 0)
    isa.data.label("action")
    isa.put_sigaction("handler")


def _readdir(isa: Isa) -> None:
    isa.data.label("root")
    isa.data.put(b"/\0")
    isa.zeros.label("entries")
    isa.zeros.put(bytes(_BUFFER))
    isa.call(isa.syscalls.openat, _AT_FDCWD, "root", 0)
    isa.branch_if_negative(_RESULT, "failed")
    isa.call(isa.syscalls.getdents64, _RESULT, "entries", _BUFFER)
    isa.branch_if_negative(_RESULT, "failed")
    if isa.arch.elf.bits == 32:
        _refuse_long_offset(isa)
    isa.label("good")
    _exit_group(isa, 0)
    isa.label("failed")
    isa.negate(_A0, _RESULT)
    isa.system_call(isa.syscalls.exit_group)


def _refuse_long_offset(isa: Isa) -> None:
    high = _D_OFF + (Width.WORD if isa.arch.elf.little else 0)
    isa.address(_A0, "entries")
    isa.load(_A0, _A0, width=Width.WORD, offset=high)
    isa.branch_if_zero(_A0, "good")
    _exit_group(isa, EOVERFLOW_STATUS)


SOURCES: Mapping[Probe, Callable[[Isa], None]] = {
    Probe.EXEC: _exec,
    Probe.ARGV0: _argv0,
    Probe.CREDENTIALS: _credentials,
    Probe.THREADS: _threads,
    Probe.SIGNAL: _signal,
    Probe.READDIR: _readdir,
}
