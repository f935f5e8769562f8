"""Whether this kernel runs programs of a foreign architecture: asked before an hour-long build, not after."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.arch import Arch, host_arch, runs_natively
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import FOLDER, claiming, is_mounted, is_switched_on, read_entries


def check_emulator(arch: Arch, folder: Path = FOLDER) -> None:
    """Make sure that programs of ``arch`` run here, also inside another root.

    Raises:
        HostError: no enabled emulator is registered for them with flag F; the hint says how to get one.
    """
    if runs_natively(arch, host_arch()):
        return
    if not is_mounted(folder):
        raise _missing(arch, "binfmt_misc is not mounted")
    entries = claiming(arch, read_entries(folder))
    if not entries:
        raise _missing(arch, "no emulator for it is registered in binfmt_misc")
    if not any(entry.enabled for entry in entries) or not is_switched_on(folder):
        raise _missing(arch, f"its emulator {entries[0].name} is switched off")
    if not any(entry.enabled and "F" in entry.flags for entry in entries):
        raise _missing(arch, f"its emulator {entries[0].name} is registered without flag F, so it is not found inside another root")


def _missing(arch: Arch, reason: str) -> HostError:
    what = f"this host cannot run programs for {arch.name}, which making a Debian guest needs"
    return HostError("emulator-missing", what, reason=reason, hint=f"as root: qd binfmt install {arch.name}")
