"""What the kernel's binfmt_misc has registered, read and never written.

An entry says which programs it claims, by the bytes they begin with, and which interpreter runs them.
Source: Documentation/admin-guide/binfmt-misc.rst of Linux.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.arch import Arch

FOLDER = Path("/proc/sys/fs/binfmt_misc")
CONTROL_FILES = frozenset({"register", "status"})
_READ_LIMIT = 4096


@dataclass(frozen=True)
class Entry:
    """One registration as the kernel shows it.

    ``flags`` are letters of P (keep argv[0]), O (open the program), C (credentials of the program), F (interpreter opened
    once, so that it works in every root folder). An entry goes by ``magic`` and ``mask`` at ``offset``, or by ``extension``;
    an empty mask means that every bit counts.
    """

    name: str
    enabled: bool
    interpreter: str
    flags: str
    offset: int = 0
    magic: bytes = b""
    mask: bytes = b""
    extension: str = ""

    def claims(self, head: bytes) -> bool:
        """Whether a program that begins with ``head`` is run by this entry; extensions are not looked at."""
        window = head[self.offset : self.offset + len(self.magic)]
        mask = self.mask or b"\xff" * len(self.magic)
        return (
            bool(self.magic)
            and len(window) == len(self.magic)
            and all(a & m == b & m for a, b, m in zip(window, self.magic, mask, strict=False))
        )


def parse_entry(name: str, text: str) -> Entry | None:
    """Return what an entry's file says, or None when it is no entry that we understand (later kernels may have others)."""
    lines = text.splitlines()
    fields = dict(line.partition(" ")[::2] for line in lines[1:])
    flags = next((line.partition(":")[2].strip() for line in lines if line.startswith("flags:")), "")
    try:
        return Entry(
            name=name,
            enabled=lines[0] == "enabled",
            interpreter=fields.get("interpreter", ""),
            flags=flags,
            offset=int(fields.get("offset", "0")),
            magic=bytes.fromhex(fields.get("magic", "")),
            mask=bytes.fromhex(fields.get("mask", "")),
            extension=fields.get("extension", "").removeprefix("."),
        )
    except (ValueError, IndexError):
        return None


def read_entries(folder: Path = FOLDER) -> list[Entry]:
    """Return what is registered, by name; entries that cannot be read or understood are left out."""
    try:
        names = sorted(file.name for file in folder.iterdir() if file.name not in CONTROL_FILES)
    except OSError:
        return []
    found = (_read(folder / name) for name in names)
    return [entry for entry in found if entry is not None]


def _read(file: Path) -> Entry | None:
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as stream:
            return parse_entry(file.name, stream.read(_READ_LIMIT))
    except OSError:
        return None


def is_mounted(folder: Path = FOLDER) -> bool:
    """Whether binfmt_misc is mounted there; False also when we may not look."""
    try:
        return (folder / "status").exists()
    except OSError:
        return False


def is_switched_on(folder: Path = FOLDER) -> bool:
    """Whether the kernel looks at the entries at all."""
    try:
        return (folder / "status").read_text(encoding="ascii").strip() != "disabled"
    except OSError:
        return False


def claiming(arch: Arch, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that claim programs of ``arch``, in the order given."""
    head = arch.elf.example()
    return [entry for entry in entries if entry.claims(head)]
