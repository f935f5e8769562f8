"""Whose kind an entry is: an emulator's of QEMU, with the right magic, or something else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core.arch import ARCHES, Arch
from quarterdeck.host.binfmt_misc import Entry

TEMPORARY = ".quarterdeck"
"""What the names of entries end in that exist only while another one is replaced."""
_TEMPORARY_NAME = re.compile(rf"(?P<name>.+){re.escape(TEMPORARY)}(-\d+)?", re.ASCII)
_OPERATING_SYSTEM_ABI, _TYPE, _GNU = 7, 16, 3


def is_emulator(entry: Entry) -> bool:
    """Whether QEMU runs this entry's programs, as far as its interpreter's path tells.

    Such paths end in ``qemu-arm-static`` and the like, are Debian's ``/usr/libexec/qemu-binfmt/arm-binfmt-P``, or lie in a
    folder called quarterdeck.
    """
    path = PurePosixPath(entry.interpreter)
    return "qemu-" in path.name or path.parent.name == "qemu-binfmt" or "quarterdeck" in path.parts


def final_name(entry: Entry) -> str:
    """Return the name that the entry would have had if its replacement had not been cut short; its own for all others."""
    match = _TEMPORARY_NAME.fullmatch(entry.name)
    return match["name"] if match else entry.name


def is_temporary(entry: Entry) -> bool:
    """Whether the entry is left from a replacement that was cut short."""
    return final_name(entry) != entry.name


def temporary_name(name: str, taken: Iterable[str]) -> str:
    """Return a name for an entry that stands in for ``name`` for a moment."""
    used, candidate, number = set(taken), name + TEMPORARY, 1
    while candidate in used:
        number += 1
        candidate = f"{name}{TEMPORARY}-{number}"
    return candidate


def archs_of(entry: Entry) -> list[Arch]:
    """Return the architectures whose programs an entry claims."""
    return [arch for arch in ARCHES if arch.user and entry.claims(arch.elf.example())]


def arch_of(entry: Entry) -> Arch | None:
    """Return the architecture that an entry is for: the one of its name where it claims several, or None."""
    claimed = archs_of(entry)
    named = [arch for arch in claimed if final_name(entry).endswith(f"-{arch.user}")]
    return next(iter(named or claimed), None)


def oddity(entry: Entry, arch: Arch) -> str:
    """Return in which way an entry claims other programs than those of ``arch``; empty when it does what it should."""
    if others := [other.name for other in archs_of(entry) if other != arch]:
        return f"it also claims programs of {', '.join(others)}"
    head = arch.elf.example()
    low = _TYPE if arch.elf.little else _TYPE + 1
    if not entry.claims(_with(head, low, 3)):
        return "it does not claim position-independent programs"
    if not entry.claims(_with(head, _OPERATING_SYSTEM_ABI, _GNU)):
        return "it does not claim programs of the GNU operating system ABI, which use IFUNC or unique symbols"
    return ""


def has_standard_magic(entry: Entry, arch: Arch) -> bool:
    """Whether an entry has the magic and mask, byte for byte, that we would register."""
    wanted = Registration.of(arch, "/", "")
    return (entry.offset, entry.magic, entry.mask) == (wanted.offset, wanted.magic, wanted.mask)


def _with(head: bytes, place: int, value: int) -> bytes:
    return head[:place] + bytes([value]) + head[place + 1 :]
