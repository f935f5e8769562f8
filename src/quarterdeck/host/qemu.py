"""Finds a system emulator and asks it what it is: version and device models."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarterdeck.core import process
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.errors import HostError, UsageError
from quarterdeck.host import cache
from quarterdeck.host.distribution import emulator_package, install_hint
from quarterdeck.host.facts import QemuFacts

_TIMEOUT = 10.0
_VERSION = re.compile(r"version (\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", re.ASCII)
_DEVICE = re.compile(r'^name "([^"]+)"', re.MULTILINE)
_MODULES = ("/usr/lib/*-linux-*/qemu", "/usr/lib64/qemu*", "/usr/lib/qemu")
"""Where distributions put QEMU's loadable device models: Debian, Fedora, Arch and SUSE."""


def find_qemu(arch: Arch) -> str | None:
    """Return the absolute path of the system emulator of ``arch``, or None when it is not installed."""
    if not arch.system:
        return None
    found = process.find(f"qemu-system-{arch.system}")
    if found is None and arch.name == host_arch().name:
        found = process.find("qemu-kvm", "/usr/libexec")  # the only emulator of Red Hat's distributions
    return os.path.realpath(found) if found else None


def require_qemu(arch: Arch) -> str:
    """Return the absolute path of the system emulator of ``arch``.

    Raises:
        UsageError: QEMU emulates no machine of this architecture, only its programs.
        HostError: the emulator is not installed.
    """
    if not arch.system:
        raise UsageError("no-system-emulator", f"QEMU has no machine for {arch.name}", reason="it emulates only single programs of it")
    path = find_qemu(arch)
    if path is None:
        raise HostError(
            "qemu-missing",
            f"QEMU for {arch.name} is not installed",
            reason=f"qemu-system-{arch.system} was not found in PATH",
            hint=install_hint(emulator_package(arch)),
        )
    return path


async def qemu_facts(path: str) -> QemuFacts:
    """Return version and device models of the emulator at ``path``; quick while neither it nor its modules change.

    Raises:
        HostError: the program does not start or is not QEMU.
    """
    question = fingerprint(path)
    known = _from_cache(path, cache.recall("qemu", question))
    if known is not None:
        return known
    facts = await _ask(path)
    cache.remember("qemu", question, {"version": list(facts.version), "devices": sorted(facts.devices)})
    return facts


def fingerprint(path: str) -> str:
    """Return a text that changes when the emulator at ``path`` or QEMU's folder of modules is replaced."""
    modules = sorted(str(folder) for pattern in _MODULES for folder in Path("/").glob(pattern.lstrip("/")))
    return " ".join(_stamp(file) for file in (path, *modules))


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the version in the output of ``qemu-* --version``, or None."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def parse_devices(text: str) -> frozenset[str]:
    """Return the names in the output of ``qemu-system-* -device help``."""
    return frozenset(_DEVICE.findall(text))


def _stamp(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return f"{path}:missing"
    return f"{path}:{status.st_mtime_ns}:{status.st_size}"


async def _ask(path: str) -> QemuFacts:
    version, devices = await asyncio.gather(_output(path, "--version"), _output(path, "-device", "help"))
    number = parse_version(version)
    if number is None:
        raise HostError("qemu-broken", f"{path} does not say its version", reason=version.partition("\n")[0][:200], hint="reinstall QEMU")
    return QemuFacts(path, number, parse_devices(devices))


async def _output(*argv: str) -> str:
    try:
        return (await process.run_async(argv, timeout=_TIMEOUT, cwd="/")).text
    except process.ProcessError as error:
        raise HostError("qemu-broken", f"{argv[0]} does not start", reason=error.reason or error.message, hint="reinstall QEMU") from None


def _from_cache(path: str, answer: Mapping[str, Any] | None) -> QemuFacts | None:
    """Return the facts when the kept answer has exactly their shape."""
    version, devices = (answer or {}).get("version"), (answer or {}).get("devices")
    if not isinstance(version, list) or not isinstance(devices, list) or len(version) != 3:
        return None
    if not all(type(part) is int for part in version) or not all(isinstance(name, str) for name in devices):
        return None
    return QemuFacts(path, (version[0], version[1], version[2]), frozenset(devices))
