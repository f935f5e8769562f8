"""What the programs prove, and the exit statuses that tell it."""

from __future__ import annotations

from enum import StrEnum

EXEC_STATUS = 42
"""Exit status of :attr:`Probe.EXEC`: one that no shell and no kernel gives to a program that could not start."""
EOVERFLOW_STATUS = 75
"""Exit status of :attr:`Probe.READDIR` where a 32-bit program would be refused: EOVERFLOW of errno.h on most architectures."""


class Probe(StrEnum):
    """One program. Where not said otherwise 0 is success and 1 is failure."""

    EXEC = "exec"
    """Ends with :data:`EXEC_STATUS`."""
    ARGV0 = "argv0"
    """Ends with the first byte of argv[0]: what the caller gave only if the emulator is registered with P and understands it."""
    CREDENTIALS = "credentials"
    """Ends with the low byte of the effective user id: the owner of a set-uid program only with C."""
    THREADS = "threads"
    """Starts a thread and waits for a word that it writes."""
    SIGNAL = "signal"
    """Sends itself a signal whose handler ends the program."""
    READDIR = "readdir"
    """Reads the root folder; ends with errno when that fails, with :data:`EOVERFLOW_STATUS` when a 32-bit program gets an offset of
    more than 32 bits, which C libraries without large-file support refuse."""
