"""Emulators at work on this host, and how much processor they use.

binfmt_misc starts the emulator in place of the program, so that ``/proc/PID/exe`` is the emulator's; source: proc(5) and
Documentation/admin-guide/binfmt-misc.rst. BuildKit copies its own to ``/dev/.buildkit_qemu_emulator``
(solver/llbsolver/ops/exec_binfmt.go).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.engines.text import one_line

_NAME = re.compile(r"(?:buildkit-)?qemu-[a-z0-9_]+(?:-static|-binfmt)?|\.buildkit_qemu_emulator")
_TICKS = os.sysconf("SC_CLK_TCK")
_COMMAND_BYTES = 4096


@dataclass(frozen=True)
class Emulator:
    """A running user-mode emulator: ``seconds`` of processor time so far, and the command that it emulates."""

    pid: int
    name: str
    seconds: float
    command: str


_EMBEDDED = ".buildkit_qemu_emulator"


def running_emulators(below: int | None = None, *, of: str = "", proc: Path = Path("/proc")) -> dict[int, Emulator]:
    """Return the user-mode emulators that this user can see, by pid.

    Only the descendants of process ``below``, and only those that emulate ``of`` (QEMU's name of it), when given.
    """
    processes = {pid: parent for pid in _pids(proc) if (parent := _parent(proc, pid)) is not None}
    near = [pid for pid in processes if below is None or _descends(pid, below, processes)]
    found = [emulator for pid in near if (emulator := _emulator(proc, pid)) is not None and _emulates(emulator, of)]
    return {emulator.pid: emulator for emulator in found}


def _emulates(emulator: Emulator, of: str) -> bool:
    return not of or emulator.name == _EMBEDDED or re.fullmatch(f".*qemu-{of}(?:-.+)?", emulator.name) is not None


def _pids(proc: Path) -> list[int]:
    return [int(name) for name in os.listdir(proc) if name.isdigit()]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    seen: set[int] = set()
    while pid in parents and pid not in seen:
        if pid == ancestor:
            return True
        seen.add(pid)
        pid = parents[pid]
    return False


def _stat(proc: Path, pid: int) -> list[str]:
    try:
        # The name in field 2 may hold spaces and parentheses.
        return (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _parent(proc: Path, pid: int) -> int | None:
    fields = _stat(proc, pid)
    return int(fields[1]) if len(fields) > 1 else None


def _emulator(proc: Path, pid: int) -> Emulator | None:
    try:
        name = os.path.basename(os.readlink(proc / str(pid) / "exe").removesuffix(" (deleted)"))
        if _NAME.fullmatch(name) is None:
            return None
        with (proc / str(pid) / "cmdline").open("rb") as file:
            words = file.read(_COMMAND_BYTES).split(b"\0")
    except OSError:
        return None
    fields = _stat(proc, pid)
    if len(fields) < 13:
        return None
    command = b" ".join(words[1:]).decode(errors="replace")
    return Emulator(pid, name, (int(fields[11]) + int(fields[12])) / _TICKS, one_line(command))
