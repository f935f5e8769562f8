"""Says what it means how a program ended."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from quarterdeck.binfmt.programs.probe import EOVERFLOW_STATUS, EXEC_STATUS, Probe
from quarterdeck.binfmt.prove.proof import Outcome, Result
from quarterdeck.binfmt.prove.session import Ended
from quarterdeck.core.process import describe_status
from quarterdeck.host.binfmt_misc import Entry

ARGV0 = "Q"
"""What every program is told that it is called; a path would begin with a slash."""


@dataclass(frozen=True)
class Circumstances:
    """What a program ran under: its entry, whether it needs none, whether binfmt_misc is on, and who owns set-uid programs."""

    entry: Entry | None
    native: bool
    switched_on: bool
    owner: int | None


def judge(probe: Probe, ended: Ended, case: Circumstances) -> Result:
    """Return the result of ``probe``."""
    if ended.error is not None:
        return Result(Outcome.FAIL, _refusal(ended.error, case), ended.seconds)
    if ended.hung:
        return Result(Outcome.FAIL, f"hangs: killed after {ended.seconds:.1f} s", ended.seconds)
    if probe is Probe.READDIR and ended.status == EOVERFLOW_STATUS:
        detail = "folder offsets of more than 32 bits reach a 32-bit program: it works on tmpfs, or built with large-file support"
        return Result(Outcome.LIMIT, detail, ended.seconds)
    if ended.status == _expected(probe, case):
        return Result(Outcome.PASS, "", ended.seconds)
    said = f": {ended.words.splitlines()[-1][:160]}" if ended.words else ""
    return Result(Outcome.FAIL, _failure(probe, ended.status or 0, case) + said, ended.seconds)


def _expected(probe: Probe, case: Circumstances) -> int:
    match probe:
        case Probe.EXEC:
            return EXEC_STATUS
        case Probe.ARGV0:
            return ord(ARGV0)
        case Probe.CREDENTIALS:
            return (case.owner or 0) & 0xFF
        case _:
            return 0


def _refusal(number: int, case: Circumstances) -> str:
    if number == errno.ENOEXEC:
        return f"exec format error: {_why_not_executed(case)}"
    if number == errno.ENOENT and case.entry is not None:
        if "F" in case.entry.flags:
            return "the emulator is not static: an empty root lacks its loader"
        return "the emulator is not found in an empty root: flag F is not registered"
    return f"cannot be started: {os.strerror(number)}"


def _why_not_executed(case: Circumstances) -> str:
    if case.entry is None:
        return "the kernel does not run what the processor could" if case.native else "no emulator is registered"
    if not case.entry.enabled:
        return f"the entry {case.entry.name} is disabled"
    if not case.switched_on:
        return "binfmt_misc is switched off"
    return "the emulator itself cannot be executed here"


def _failure(probe: Probe, status: int, case: Circumstances) -> str:
    if status < 0:
        return describe_status(status).removeprefix("was ")
    match probe:
        case Probe.ARGV0 if status == ord("/"):
            return "argv[0] was replaced by the path: the emulator does not understand flag P"
        case Probe.CREDENTIALS:
            return f"a set-uid program does not get its owner's identity, {case.owner}"
        case Probe.READDIR:
            return f"reading a folder fails with error {status} of that architecture"
        case _:
            return f"{describe_status(status)}, {_expected(probe, case)} was expected"
