"""The flags of a registration: which the kernel knows, and which an emulator can live with.

Source: Documentation/admin-guide/binfmt-misc.rst of Linux.
"""

from __future__ import annotations

import platform
import re

from quarterdeck.binfmt.emulators.find import Emulator
from quarterdeck.errors import UsageError

MEANING = {
    "P": "keep the program's argv[0]",
    "O": "open the program for the emulator, so that it need not be readable",
    "C": "take identity and capabilities from the program (set-uid); implies O",
    "F": "open the emulator once, so that it works in every root folder",
}
"""In the order in which the kernel shows them."""

_ARGV0_QEMU = (6, 0)
"""QEMU 6.0 asks the kernel whether argv[0] follows the program's path: its commit 6e1c0d7b951e."""

_ARGV0_KERNEL = (5, 12)
"""Linux 5.12 tells the interpreter in AT_FLAGS: its commit 2347961b11d4."""


def kernel_version(release: str | None = None) -> tuple[int, int]:
    """Return the first two numbers of the kernel's ``release`` (uname(2); this kernel's when None), (0, 0) when it has none."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", platform.release() if release is None else release, re.ASCII)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def supports_argv0(version: tuple[int, ...], kernel: tuple[int, ...]) -> bool:
    """Whether QEMU ``version`` under Linux ``kernel`` gives programs their argv[0] with flag P, instead of one argument too many."""
    return version[:2] >= _ARGV0_QEMU and kernel[:2] >= _ARGV0_KERNEL


def default_flags(emulator: Emulator, kernel: tuple[int, ...]) -> str:
    """Return the flags that an emulator is registered with: OCF, and P where emulator and kernel understand it."""
    return "POCF" if supports_argv0(emulator.version, kernel) else "OCF"


def check_flags(text: str) -> str:
    """Return the flags that a user asks for as the kernel will show them: in its order, and with the O that C implies.

    Raises:
        UsageError: a letter is no flag.
    """
    letters = set(text.upper())
    unknown = sorted(letters - set(MEANING))
    if unknown:
        known = "; ".join(f"{letter}: {meaning}" for letter, meaning in MEANING.items())
        raise UsageError("unknown-flag", f"'{text}' are not flags of a registration", reason=f"unknown: {', '.join(unknown)}", hint=known)
    implied = {"O"} if "C" in letters else set()
    return "".join(letter for letter in MEANING if letter in letters | implied)
