"""binfmt_misc, through which the kernel starts emulators of foreign programs. ``qd binfmt status`` says more."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.host.binfmt_misc import FOLDER, is_mounted, is_switched_on, read_entries
from quarterdeck.host.check import Check, Status
from quarterdeck.host.files import below, read_text

_INSTALL = "as root: qd binfmt install all"


async def check() -> list[Check]:
    """Return the state of binfmt_misc and of the registered QEMU emulators."""
    return [binfmt_check(Path("/"))]


def binfmt_check(root: Path) -> Check:
    """Say whether it is built, mounted and on, and which emulators would not work inside containers."""
    folder = below(root, str(FOLDER))
    if not is_mounted(folder):
        return _absent(root)
    if not is_switched_on(folder):
        return _check(Status.WARN, "mounted, but switched off", f"echo 1 > {FOLDER}/status")
    emulators = [entry for entry in read_entries(folder) if entry.name.startswith("qemu-")]
    if not emulators:
        return _check(Status.INFO, "mounted, no QEMU emulator registered", _INSTALL)
    count = "1 emulator" if len(emulators) == 1 else f"{len(emulators)} emulators"
    loose = [entry.name for entry in emulators if "F" not in entry.flags]
    if loose:
        return _check(Status.WARN, f"{count}; not inside containers (flag F is missing): {', '.join(loose)}", _INSTALL)
    return _check(Status.OK, f"{count}, with flag F")


def _absent(root: Path) -> Check:
    if "binfmt_misc" in read_text(root, "/proc/filesystems").split():
        return _check(Status.INFO, "in the kernel, but not mounted", f"mount -t binfmt_misc binfmt_misc {FOLDER}")
    return _check(Status.INFO, "not loaded", "modprobe binfmt_misc")


def _check(status: Status, detail: str, fix: str = "") -> Check:
    return Check(key="binfmt", title="binfmt_misc", status=status, detail=detail, fix=fix)
