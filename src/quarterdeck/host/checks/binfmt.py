"""binfmt_misc, through which the kernel starts emulators of foreign programs.

Source: the kernel's Documentation/admin-guide/binfmt-misc.rst.
"""

from __future__ import annotations

from pathlib import Path

from quarterdeck.host.check import Check, Status
from quarterdeck.host.files import entries, exists, read_text

_FOLDER = "/proc/sys/fs/binfmt_misc"
_CONTROL = frozenset({"register", "status"})


async def check() -> list[Check]:
    """Return the state of binfmt_misc and of the registered QEMU emulators."""
    return [binfmt_check(Path("/"))]


def binfmt_check(root: Path) -> Check:
    """Say whether it is built, mounted and on, and which emulators would not work inside containers."""
    if not exists(root, f"{_FOLDER}/status"):
        return _absent(root)
    if read_text(root, f"{_FOLDER}/status") == "disabled":
        fix = f"echo 1 > {_FOLDER}/status"
        return Check(key="binfmt", title="binfmt_misc", status=Status.WARN, detail="mounted, but switched off", fix=fix)
    names = [name for name in entries(root, _FOLDER) if name not in _CONTROL and name.startswith("qemu-")]
    if not names:
        detail = "mounted, no QEMU emulator registered"
        return Check(key="binfmt", title="binfmt_misc", status=Status.INFO, detail=detail, fix=_REGISTER)
    count = "1 emulator" if len(names) == 1 else f"{len(names)} emulators"
    loose = [name for name in names if not keeps_open(read_text(root, f"{_FOLDER}/{name}"))]
    if loose:
        detail = f"{count}; not inside containers (flag F is missing): {', '.join(loose)}"
        return Check(key="binfmt", title="binfmt_misc", status=Status.WARN, detail=detail, fix=_REGISTER)
    return Check(key="binfmt", title="binfmt_misc", status=Status.OK, detail=f"{count}, with flag F")


_REGISTER = "apt-get install qemu-user-static binfmt-support (Debian 12) or qemu-user-binfmt (Debian 13)"


def keeps_open(entry: str) -> bool:
    """Whether a registration (the text of its file) has flag F: its interpreter is opened once and works in every root folder."""
    return any(line.startswith("flags:") and "F" in line.removeprefix("flags:") for line in entry.splitlines())


def _absent(root: Path) -> Check:
    known = read_text(root, "/proc/filesystems").split()
    if "binfmt_misc" in known:
        fix = f"mount -t binfmt_misc binfmt_misc {_FOLDER}"
        return Check(key="binfmt", title="binfmt_misc", status=Status.INFO, detail="in the kernel, but not mounted", fix=fix)
    return Check(key="binfmt", title="binfmt_misc", status=Status.INFO, detail="not loaded", fix="modprobe binfmt_misc")
