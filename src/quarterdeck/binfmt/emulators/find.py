"""Finds QEMU's user-mode emulators and judges whether the kernel can use them in every root folder.

Names: ``qemu-ARCH-static`` (Debian up to 12, Ubuntu, Fedora), ``qemu-ARCH`` (Debian's qemu-user: dynamic up to 12, static since 13),
and Debian's links ``/usr/libexec/qemu-binfmt/ARCH-binfmt-P`` to either. Which one it is, the file itself says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.binfmt.elf import BadElf, Elf, Kind, arch_of, read_elf_file
from quarterdeck.core import process
from quarterdeck.core.arch import Arch, host_arch, runs_natively
from quarterdeck.errors import HostError, QuarterdeckError, UsageError
from quarterdeck.host.distribution import distribution, install_hint
from quarterdeck.host.qemu import parse_version

Version = tuple[int, int, int]

_TIMEOUT = 5.0
_AT_ONCE = 8
_LINE = 200
_NAME = re.compile(r"^qemu-([a-z0-9_]{1,32}) version ", re.ASCII)
_LINKS = Path("/usr/libexec/qemu-binfmt")
_STATIC_SINCE = 13
"""First Debian whose package qemu-user has static emulators."""


class Origin(StrEnum):
    """Where an emulator comes from."""

    SYSTEM = "system"
    FOLDER = "folder"


@dataclass(frozen=True)
class Emulator:
    """A user-mode emulator. ``path`` has its links resolved; ``static`` says that it needs nothing but itself."""

    arch: Arch
    path: Path
    version: Version
    static: bool
    origin: Origin = Origin.SYSTEM


@dataclass(frozen=True)
class Search:
    """What was found for several architectures, in the order asked for, and why the others were not."""

    found: tuple[Emulator, ...]
    failed: tuple[tuple[Arch, QuarterdeckError], ...]


def find_emulator(arch: Arch, *, folder: Path | None = None, prefix: str = "qemu-") -> Emulator:
    """Return an emulator of ``arch`` that works in every root folder: the system's, or only one in ``folder``.

    In ``folder`` it is called ``prefix`` and QEMU's name of the architecture, with or without ``-static``.

    Raises:
        UsageError: ``prefix`` holds a slash, or QEMU has no user-mode emulator of this architecture.
        HostError: there is none, or none that is usable; says why.
    """
    if not arch.user:
        raise UsageError("no-user-emulator", f"QEMU runs no programs of {arch.name}")
    candidates = _in_folder(arch, folder, prefix) if folder is not None else _in_system(arch)
    origin = Origin.SYSTEM if folder is None else Origin.FOLDER
    refusals = []
    for path in candidates:
        try:
            return _usable(inspect_emulator(path, arch, origin=origin))
        except QuarterdeckError as error:
            refusals.append(error)
    raise refusals[0] if refusals else _missing(arch, folder, prefix)


def find_emulators(arches: Iterable[Arch], *, folder: Path | None = None, prefix: str = "qemu-") -> Search:
    """Look for the emulators of several architectures at once; see :func:`find_emulator`."""

    def look(arch: Arch) -> Emulator | QuarterdeckError:
        try:
            return find_emulator(arch, folder=folder, prefix=prefix)
        except QuarterdeckError as error:
            return error

    results = _map(look, list(dict.fromkeys(arches)))
    return Search(
        tuple(result for _, result in results if isinstance(result, Emulator)),
        tuple((arch, result) for arch, result in results if isinstance(result, QuarterdeckError)),
    )


def inspect_emulator(path: Path, arch: Arch, *, origin: Origin = Origin.SYSTEM) -> Emulator:
    """Return what the emulator at ``path`` is, dynamic or not; it is started to ask for its version.

    Raises:
        HostError: it is no program of this host's architecture, cannot be executed, or is no emulator of ``arch``.
    """
    real = Path(os.path.realpath(path))
    elf = _program(real)
    name, version = _identity(real)
    if name != arch.user:
        raise _unsuited(real, f"it emulates {name}, not {arch.user}")
    return Emulator(arch, real, version, elf.static, origin)


def version_of(path: Path) -> Version:
    """Return the version that the user-mode emulator at ``path`` says it has; candidates of 10.0 are 9.2.90 and up, as in QEMU itself.

    Raises:
        HostError: it does not start, or is no user-mode emulator.
    """
    return _identity(path)[1]


def _identity(path: Path) -> tuple[str, Version]:
    """Ask an emulator for its architecture, by QEMU's name, and its version: "qemu-aarch64 version 7.2.22 (Debian ...)"."""
    try:
        text = process.run([path, "--version"], timeout=_TIMEOUT, cwd="/").text
    except QuarterdeckError as error:
        raise _unsuited(path, f"it does not say its version: {_first_line(error.reason or error.message)}") from None
    name, version = _NAME.match(text), parse_version(text.partition("\n")[0])
    if name is None or version is None:
        raise _unsuited(path, "its answer to --version is not that of a QEMU user-mode emulator")
    return name[1], version


def _first_line(text: str) -> str:
    """Return the beginning of what a program said, without what would move a terminal's cursor."""
    line = text.strip().partition("\n")[0][:_LINE]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _map(look: Callable[[Arch], Emulator | QuarterdeckError], arches: Sequence[Arch]) -> list[tuple[Arch, Emulator | QuarterdeckError]]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(zip(arches, pool.map(look, arches), strict=True))


def _in_system(arch: Arch) -> list[Path]:
    """Return the existing candidates; in PATH the static name comes first."""
    named = [process.find(f"qemu-{arch.user}-static"), process.find(f"qemu-{arch.user}")]
    link = _LINKS / f"{arch.user}-binfmt-P"
    return [*(Path(path) for path in named if path is not None), *([link] if link.exists() else [])]


def _in_folder(arch: Arch, folder: Path, prefix: str) -> list[Path]:
    if "/" in prefix or "\0" in prefix:
        raise UsageError("bad-prefix", f"an emulator's prefix cannot be {prefix!r}", reason="it is the beginning of a file's name")
    names = (f"{prefix}{arch.user}-static", f"{prefix}{arch.user}")
    return [folder / name for name in names if os.path.lexists(folder / name)]


def _program(path: Path) -> Elf:
    try:
        elf = read_elf_file(path)
    except BadElf as error:
        raise _unsuited(path, error.reason) from None
    arch, host = arch_of(elf), host_arch()
    if elf.kind not in (Kind.EXECUTABLE, Kind.SHARED):
        raise _unsuited(path, "it is an ELF file, but not a program")
    if arch is None or not runs_natively(arch, host):
        raise _unsuited(path, f"it is a program for {arch.name if arch else 'an unknown processor'}, and this host is {host.name}")
    if not os.access(path, os.X_OK):
        raise _unsuited(path, "we may not execute it")
    return elf


def _usable(emulator: Emulator) -> Emulator:
    if emulator.static:
        return emulator
    raise HostError(
        "emulator-dynamic",
        f"{emulator.path} is not statically linked",
        reason="the libraries that it needs are not in the root folders of containers and other systems",
        hint=f"{install_hint(_package())}, whose emulators are static",
    )


def _unsuited(path: Path, reason: str) -> HostError:
    return HostError("emulator-unsuited", f"{path} cannot be used as an emulator", reason=reason)


def _missing(arch: Arch, folder: Path | None, prefix: str) -> HostError:
    name = f"{prefix if folder is not None else 'qemu-'}{arch.user}"
    return HostError(
        "emulator-missing",
        f"there is no emulator of {arch.name} programs",
        reason=f"neither {name}-static nor {name} is in {folder if folder is not None else 'PATH'}",
        hint=install_hint(_package()) if folder is None else "",
    )


def _package(root: Path = Path("/")) -> str:
    """Return the Debian package of static emulators in the release that we run on; Ubuntu kept the older name."""
    here = distribution(root)
    is_debian = here.release > 0 or here.title.startswith("Debian")
    return "qemu-user" if is_debian and not 0 < here.release < _STATIC_SINCE else "qemu-user-static"
