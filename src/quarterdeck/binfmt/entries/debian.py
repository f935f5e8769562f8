"""Reads dpkg's database without dpkg: which package a file belongs to, and which version is installed.

Sources: dpkg's ``/var/lib/dpkg/info/PACKAGE.list`` (one absolute path a line) and ``/var/lib/dpkg/status`` (deb822(5)).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from quarterdeck.host.files import below

_INFO = "/var/lib/dpkg/info"
_STATUS = "/var/lib/dpkg/status"
_LIKELY = ("qemu", "binfmt", "python3", "llvm")


def owners_of(paths: Iterable[str], root: Path = Path("/")) -> dict[str, str]:
    """Return the package of each path that belongs to one. Emulators' packages are looked at first, as there are thousands."""
    names = {alias: path for path in paths for alias in _aliases(path)}
    found: dict[str, str] = {}
    for file in _lists(root):
        if len(found) == len(set(names.values())):
            break
        package = file.name.removesuffix(".list").partition(":")[0]
        for line in _paths_in(file) & names.keys():
            found.setdefault(names[line], package)
    return found


def package_version(package: str, root: Path = Path("/")) -> str:
    """Return the version of an installed package, empty when it is not installed."""
    try:
        status = below(root, _STATUS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    start = f"\n{status}".find(f"\nPackage: {package}\n")
    if start < 0:
        return ""
    fields = dict(line.partition(": ")[::2] for line in status[start:].partition("\n\n")[0].splitlines())
    return fields.get("Version", "") if fields.get("Status", "").endswith(" installed") else ""


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the upstream part of a Debian version as numbers: ``1:2.2.2-2`` -> (2, 2, 2); stops at what is no number."""
    numbers = []
    for part in version.partition(":")[2 if ":" in version else 0].partition("-")[0].split("."):
        if not (part.isascii() and part.isdigit()):
            break
        numbers.append(int(part))
    return tuple(numbers)


def _aliases(path: str) -> list[str]:
    """Return the names that dpkg may know a file by: older packages ship /bin where /usr/bin is meant."""
    return [path, path.removeprefix("/usr")] if path.startswith("/usr/") else [path, f"/usr{path}"]


def _lists(root: Path) -> list[Path]:
    try:
        files = [Path(file.path) for file in os.scandir(below(root, _INFO)) if file.name.endswith(".list")]
    except OSError:
        return []
    return sorted(files, key=lambda file: (not file.name.startswith(_LIKELY), file.name))


def _paths_in(file: Path) -> set[str]:
    try:
        return set(file.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return set()
