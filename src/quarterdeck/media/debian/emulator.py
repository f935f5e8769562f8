"""Whether this kernel runs programs of a foreign architecture: asked before an hour-long build, not after.

Source: Documentation/admin-guide/binfmt-misc.rst of Linux.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quarterdeck.core.arch import Arch, ElfHeader, host_arch, runs_natively
from quarterdeck.errors import HostError

BINFMT = Path("/proc/sys/fs/binfmt_misc")
_ELF_SIZE = 64
_EXECUTABLE = 2


@dataclass(frozen=True)
class Registration:
    """One entry of binfmt_misc: which files it claims and by what they are run."""

    name: str
    enabled: bool
    interpreter: str
    flags: str
    offset: int
    magic: bytes
    mask: bytes

    def claims(self, head: bytes) -> bool:
        """Whether a program that begins with ``head`` is run by this entry."""
        window = head[self.offset : self.offset + len(self.magic)]
        mask = self.mask or b"\xff" * len(self.magic)
        return (
            bool(self.magic)
            and len(window) == len(self.magic)
            and all(a & m == b & m for a, b, m in zip(window, self.magic, mask, strict=False))
        )


def check_emulator(arch: Arch, folder: Path = BINFMT) -> None:
    """Make sure that programs of ``arch`` run here, also inside another root.

    Raises:
        HostError: no enabled emulator is registered for them with flag F; the hint says how to get one.
    """
    if runs_natively(arch, host_arch()):
        return
    if not (folder / "status").exists():
        raise _missing(arch, "binfmt_misc is not mounted", f"mount -t binfmt_misc binfmt_misc {BINFMT}; then {_how(arch)}")
    head = elf_head(arch.elf)
    claiming = [entry for entry in registrations(folder) if entry.claims(head)]
    if not claiming:
        raise _missing(arch, "no emulator for it is registered in binfmt_misc", _how(arch))
    if not any(entry.enabled for entry in claiming) or _disabled(folder):
        raise _missing(arch, f"its emulator {claiming[0].name} is switched off", f"echo 1 > {folder / claiming[0].name}")
    if not any(entry.enabled and "F" in entry.flags for entry in claiming):
        reason = f"its emulator {claiming[0].name} is registered without flag F, so it is not found inside another root"
        raise _missing(arch, reason, _how(arch))


def registrations(folder: Path = BINFMT) -> list[Registration]:
    """Return what is registered, in no order; entries that name no magic number are left out."""
    entries = [_parse(file) for file in folder.iterdir() if file.name not in ("register", "status")] if folder.is_dir() else []
    return [entry for entry in entries if entry is not None]


def elf_head(elf: ElfHeader) -> bytes:
    """Return the beginning of an executable of this kind; layout: elf(5)."""
    order: Literal["little", "big"] = "little" if elf.little else "big"
    ident = b"\x7fELF" + bytes([elf.bits // 32, 1 if elf.little else 2, 1]) + bytes(9)
    head = ident + _EXECUTABLE.to_bytes(2, order) + elf.machine.to_bytes(2, order) + (1).to_bytes(4, order)
    flags_at = 48 if elf.bits == 64 else 36
    return head.ljust(flags_at, b"\x00") + elf.flags.to_bytes(4, order) + bytes(_ELF_SIZE - flags_at - 4)


def _parse(file: Path) -> Registration | None:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        fields = dict(line.partition(" ")[::2] for line in lines[1:])
        flags = next((line.partition(":")[2].strip() for line in lines if line.startswith("flags:")), "")
        return Registration(
            name=file.name,
            enabled=lines[0] == "enabled",
            interpreter=fields.get("interpreter", ""),
            flags=flags,
            offset=int(fields["offset"]),
            magic=bytes.fromhex(fields["magic"]),
            mask=bytes.fromhex(fields.get("mask", "")),
        )
    except (OSError, ValueError, KeyError, IndexError):
        return None


def _disabled(folder: Path) -> bool:
    return (folder / "status").read_text(encoding="ascii").strip() == "disabled"


def _how(arch: Arch) -> str:
    return (
        "apt install qemu-user-static binfmt-support (Debian 13: qemu-user-binfmt); "
        "with systemd: systemctl restart systemd-binfmt; without: update-binfmts --enable, or /usr/lib/systemd/systemd-binfmt "
        f"(qemu-{arch.user})"
    )


def _missing(arch: Arch, reason: str, hint: str) -> HostError:
    return HostError(
        "emulator-missing", f"this host cannot run programs for {arch.name}, which making a Debian guest needs", reason=reason, hint=hint
    )
