"""Who an entry belongs to: who registered it, as far as files on this host tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.binfmt.entries.debian import owners_of
from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.persist import binfmt_d, binfmt_support
from quarterdeck.core import paths


class OwnerKind(StrEnum):
    """What kind of thing registered an entry."""

    QUARTERDECK = "quarterdeck"
    BINFMT_D = "systemd"
    BINFMT_SUPPORT = "binfmt-support"
    PACKAGE = "package"
    IMAGE = "image"
    WSL = "wsl"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Owner:
    """Who registered an entry. ``package`` is the Debian package behind it, ``file`` what registers it at boot; empty: none."""

    kind: OwnerKind
    package: str = ""
    file: str = ""

    def __str__(self) -> str:
        described = {
            OwnerKind.QUARTERDECK: "Quarterdeck",
            OwnerKind.BINFMT_D: self.package or "systemd",
            OwnerKind.BINFMT_SUPPORT: f"{self.package or 'an administrator'}, by binfmt-support",
            OwnerKind.PACKAGE: self.package,
            OwnerKind.IMAGE: "a container image, or deleted",
            OwnerKind.WSL: "WSL",
            OwnerKind.UNKNOWN: "unknown",
        }[self.kind]
        return f"{described} ({self.file})" if self.file else described

    def to_json(self) -> dict[str, object]:
        """Return the owner as a JSON object."""
        return {"kind": self.kind.value, "package": self.package or None, "file": self.file or None}


def owners(found: Sequence[Found], root: Path = Path("/")) -> dict[str, Owner]:
    """Return the owner of each entry, by the entry's name."""
    lines, formats = binfmt_d.lines(root), binfmt_support.formats(root)
    packages = owners_of([*(line.file for line in lines), *(one.entry.interpreter for one in found)], root)
    return {one.entry.name: _owner(one, lines, formats, packages) for one in found}


def _owner(one: Found, lines: Sequence[binfmt_d.Line], formats: Sequence[binfmt_support.Format], packages: dict[str, str]) -> Owner:
    entry = one.entry
    if entry.name.startswith("WSLInterop"):
        return Owner(OwnerKind.WSL)
    for line in lines:
        if (line.name, line.interpreter) == (entry.name, entry.interpreter):
            return Owner(OwnerKind.QUARTERDECK if line.ours else OwnerKind.BINFMT_D, packages.get(line.file, ""), line.file)
    for item in formats:
        if (item.name, item.interpreter) == (entry.name, entry.interpreter):
            return Owner(OwnerKind.BINFMT_SUPPORT, item.package)
    if one.file is not FileState.MISSING and Path(entry.interpreter).parent == paths.emulators():
        return Owner(OwnerKind.QUARTERDECK)
    if package := packages.get(entry.interpreter):
        return Owner(OwnerKind.PACKAGE, package)
    if one.file is FileState.MISSING and "F" in entry.flags:
        return Owner(OwnerKind.IMAGE)
    return Owner(OwnerKind.UNKNOWN)
