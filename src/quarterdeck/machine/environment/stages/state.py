"""What the old image kept beside its disks: firmware variables, TPM state, the card's address."""

from __future__ import annotations

import re
from pathlib import Path

from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.found import FoundFile
from quarterdeck.machine.environment.stages.boot import DEFAULT_STORAGE, Source
from quarterdeck.machine.environment.stages.system import boot_mode
from quarterdeck.machine.layout import MachineLayout

_SIZES = frozenset({540672, 64 << 20})
"""Bytes of the variables of OVMF's 4M builds, and of AAVMF's padded ones (Debian's packages ovmf and qemu-efi-aarch64)."""


def state(draft: Draft, source: Source) -> None:
    """Write what of it goes on. Files are read once, at the machine's first start; the old image finds them as it left them."""
    home = source.home.rstrip("/")
    _firmware(draft, home)
    _tpm(draft, home)
    _address(draft, home)


def _tpm(draft: Draft, home: str) -> None:
    """A TPM that began as the old image's stays one of its kind, also when that file is gone."""
    if not draft.data.get("tpm"):
        return
    ours = str(MachineLayout(Path(DEFAULT_STORAGE, "machines", str(draft.data.get("name")))).tpm_file)
    for path in (ours, f"{home}/{boot_mode(draft) or 'uefi'}.tpm"):
        file = draft.found.at(path)
        if file is not None and file.size:
            draft.default(("tpm_state",), file.path)


def _firmware(draft: Draft, home: str) -> None:
    if draft.said("firmware_image") or draft.data.get("firmware") == "bios":
        return
    mode = boot_mode(draft)
    variables = draft.found.at(f"{home}/{mode or 'uefi'}.vars")
    if variables is not None and variables.size:
        _carry_over(draft, variables, mode)
        return
    disk = _booting(draft)
    if mode is None and not draft.said("firmware") and disk is not None and disk.bios and not disk.uefi:
        draft.put(("firmware",), "bios", "BOOT_MODE")


def _carry_over(draft: Draft, variables: FoundFile, mode: str | None) -> None:
    if mode is None:
        draft.default(("firmware",), "uefi")
    if variables.size not in _SIZES:
        draft.note(
            "BOOT_MODE", f"{variables.path} is of another kind of firmware, so the machine begins with new variables", "nothing is lost"
        )
    elif not draft.flag("CLEAR"):
        draft.default(("firmware_variables",), variables.path)


def _booting(draft: Draft) -> FoundFile | None:
    """Return the disk that boots as it is, where nothing else does."""
    path = draft.look("disks", 0, "image")
    return None if draft.said("boot") or path is None else next((file for file in draft.found.files if file.path == path), None)


def _address(draft: Draft, home: str) -> None:
    """The card keeps its address, by which the guest's system knows it."""
    text = draft.found.text(f"{home}/qemu.mac")
    if text is None or draft.data.get("networks") == [] or draft.said("networks", 0, "mac"):
        return
    address = text.strip().replace("-", ":").lower()
    if re.fullmatch(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}", address):
        draft.put(("networks", 0, "mac"), address, "MAC")
