"""System emulators and the firmware that they boot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, Arch, FirmwareKind, host_arch
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.distribution import distribution, emulator_package, install_hint
from quarterdeck.host.probe import installed_firmware
from quarterdeck.host.qemu import find_qemu, parse_version

_TIMEOUT = 1.5
_OLDEST = (7, 2, 0)
_COMMON = ("x86_64", "i386", "aarch64", "arm", "riscv64", "ppc64le", "s390x", "loongarch64")


async def check() -> list[Check]:
    """Return one check for each architecture that is commonly run, one for its firmware, and one for all other emulators."""
    own = _own_name()
    common = [arch for arch in ARCHES if arch.name in (*_COMMON, own) and arch.system]
    emulators = await asyncio.gather(*(_emulator_check(arch, own) for arch in common))
    return [*emulators, _others_check(common), *(firmware_check(arch) for arch in common if _has_uefi(arch))]


def firmware_check(arch: Arch) -> Check:
    """Say which firmware of ``arch`` is installed."""
    key, title = f"firmware-{arch.name}", f"Firmware for {arch.name}"
    found = installed_firmware(arch)
    kinds = sorted({pair.kind.value for pair in found})
    if any(pair.kind is not FirmwareKind.BIOS for pair in found):
        return Check(key=key, title=title, status=Status.OK, detail=", ".join(kinds))
    status = Status.WARN if arch.name == _own_name() else Status.INFO
    return Check(key=key, title=title, status=status, detail="no UEFI firmware", fix=_firmware_fix(arch))


def _firmware_fix(arch: Arch) -> str:
    pairs = [pair for pair in arch.firmware if pair.kind is FirmwareKind.UEFI and _is_debian(pair.code)]
    packages = dict.fromkeys(pair.package for pair in pairs)
    since = max((pair.debian for pair in pairs), default=0)
    here = distribution()
    if here.apt and 0 < here.release < since:
        return f"Debian {since} and later have it: {' '.join(packages)}"
    return install_hint(*packages)


async def _emulator_check(arch: Arch, own: str) -> Check:
    key, title, needed = f"qemu-{arch.name}", f"QEMU for {arch.name}", arch.name == own
    fix = install_hint(emulator_package(arch))
    path = find_qemu(arch)
    if path is None:
        status = Status.FAIL if needed else Status.INFO
        return Check(key=key, title=title, status=status, detail=f"qemu-system-{arch.system} is not installed", fix=fix, needed=needed)
    version = await _version(path)
    if version is None:
        return Check(key=key, title=title, status=Status.FAIL, detail=f"{path} does not say its version", fix=fix, needed=needed)
    text = ".".join(str(part) for part in version)
    if version < _OLDEST:
        return Check(key=key, title=title, status=Status.WARN, detail=f"{text} is older than 7.2 ({path})", fix=fix, needed=needed)
    return Check(key=key, title=title, status=Status.OK, detail=f"{text} ({path})", needed=needed)


async def _version(path: str) -> tuple[int, int, int] | None:
    try:
        return parse_version((await process.run_async([path, "--version"], timeout=_TIMEOUT, cwd="/")).text)
    except (QuarterdeckError, OSError):
        return None


def _others_check(common: Sequence[Arch]) -> Check:
    names = [arch.name for arch in ARCHES if arch not in common and find_qemu(arch)]
    detail = f"installed: {', '.join(names)}" if names else "none installed"
    return Check(key="qemu-others", title="QEMU for others", status=Status.INFO, detail=detail)


def _has_uefi(arch: Arch) -> bool:
    return any(pair.kind is FirmwareKind.UEFI for pair in arch.firmware)


def _is_debian(code: str) -> bool:
    return not code.startswith("/usr/share/edk2/")


def _own_name() -> str:
    try:
        return host_arch().name
    except QuarterdeckError:
        return ""
