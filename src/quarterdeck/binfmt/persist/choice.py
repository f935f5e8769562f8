"""Who registers emulators at boot here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.binfmt.entries.debian import package_version, version_numbers
from quarterdeck.host.container import container
from quarterdeck.host.files import below, exists

FIX_BINARY_SINCE = (2, 1, 7)
"""binfmt-support that knows ``--fix-binary``: its NEWS of that version."""
_SYSTEMD_PROGRAMS = ("/usr/lib/systemd/systemd-binfmt", "/lib/systemd/systemd-binfmt")
_UPDATE_BINFMTS = ("/usr/sbin/update-binfmts", "/sbin/update-binfmts")
_UNIT = "/etc/systemd/system/systemd-binfmt.service"


class Keeper(StrEnum):
    """Who registers emulators at boot."""

    BINFMT_D = "binfmt.d"
    BINFMT_SUPPORT = "binfmt-support"
    NONE = "none"


@dataclass(frozen=True)
class Choice:
    """The keeper, why it is this one, and for :attr:`Keeper.NONE` what to do instead. ``program`` is update-binfmts' path."""

    keeper: Keeper
    reason: str
    hint: str = ""
    program: str = ""


def choose(root: Path = Path("/")) -> Choice:
    """Return who keeps registrations over a reboot here."""
    if manager := container(root):
        reason = f"emulators of a {manager} container are not where the host looks when it boots"
        hint = "run the container again after each boot of the host, or install the emulators on the host itself"
        return Choice(Keeper.NONE, reason, hint)
    program = next((path for path in _UPDATE_BINFMTS if exists(root, path)), "")
    without_systemd = _why_not_systemd(root)
    if not without_systemd:
        return Choice(Keeper.BINFMT_D, "systemd registers what /etc/binfmt.d lists at every boot", program=program)
    without_support = _why_not_binfmt_support(program, root)
    if not without_support:
        return Choice(Keeper.BINFMT_SUPPORT, f"{without_systemd}, and binfmt-support registers what it has at every boot", program=program)
    hint = "run 'qd binfmt install' again after each boot"
    return Choice(Keeper.NONE, f"{without_systemd}, and {without_support}", hint, program)


def _why_not_systemd(root: Path) -> str:
    # The folder that sd_booted(3) looks for.
    if not exists(root, "/run/systemd/system"):
        return "this system was not booted by systemd"
    if not any(exists(root, path) for path in _SYSTEMD_PROGRAMS):
        return "this systemd has no systemd-binfmt"
    unit = below(root, _UNIT)
    if unit.is_symlink() and os.readlink(unit) == "/dev/null":
        return "systemd-binfmt.service is masked"
    return ""


def _why_not_binfmt_support(program: str, root: Path) -> str:
    if not program:
        return "binfmt-support is not installed"
    version = package_version("binfmt-support", root)
    if version and version_numbers(version) < FIX_BINARY_SINCE:
        return f"binfmt-support {version} is older than 2.1.7, which knows --fix-binary"
    return ""
