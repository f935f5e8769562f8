"""Wheels for images: of Quarterdeck, and of what it imports in the versions that are installed here. A part of scripts/build_image.py."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from quarterdeck.core.arch import Arch
from quarterdeck.core.process import run
from quarterdeck.errors import UsageError

ROOT = Path(__file__).parents[1]
_SECONDS = 600.0
# PEP 600: glibc versions that Debian 12 and 13 have, newest first, and the older names of the same.
_GLIBCS = ("manylinux_2_36", "manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "riscv64": "riscv64", "ppc64el": "ppc64le", "s390x": "s390x"}


def build_own(folder: Path) -> None:
    """Build Quarterdeck's wheel into ``folder`` in place of an older one."""
    for old in folder.glob("quarterdeck-*.whl"):
        old.unlink()
    _pip("wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", str(ROOT))


def download_pure(folder: Path, pins: Sequence[str]) -> None:
    """Download wheels of Python alone, which fit every architecture.

    Raises:
        QuarterdeckError: one of ``pins`` has no such wheel.
    """
    _download(folder, pins, ["--platform=any", "--implementation=py", "--abi=none", "--python-version=3.11"])


def download_for(folder: Path, arch: Arch, python: str) -> None:
    """Download what Quarterdeck imports for CPython ``python`` (such as 3.13) on a Debian of ``arch``.

    Raises:
        UsageError: nobody makes wheels for that architecture.
        QuarterdeckError: one of them has none.
    """
    machine = _MACHINES.get(arch.debian)
    if machine is None:
        raise UsageError(
            "no-wheels", f"there are no wheels of Python packages for {arch.name}", hint=f"there are for {', '.join(_MACHINES)}"
        )
    short = f"cp{python.replace('.', '')}"
    platforms = [f"--platform={glibc}_{machine}" for glibc in _GLIBCS]
    _download(
        folder, closure("quarterdeck", python), [*platforms, f"--abi={short}", "--abi=abi3", "--abi=none", f"--python-version={python}"]
    )


def closure(distribution: str, python: str) -> list[str]:
    """Return ``NAME==VERSION`` of all that ``distribution`` requires on CPython ``python``, directly or not, as it is installed here."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    found: dict[str, str] = {}
    waiting = [distribution]
    while waiting:
        for name in _required(waiting.pop(), environment):
            if name not in found:
                found[name] = version(name)
                waiting.append(name)
    return sorted(f"{name}=={number}" for name, number in found.items())


def _required(distribution: str, environment: dict[str, str]) -> Iterator[str]:
    for text in requires(distribution) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""}):
            yield canonicalize_name(requirement.name)


def _download(folder: Path, pins: Sequence[str], options: Sequence[str]) -> None:
    """Download ``pins`` unless the folder holds just them from last time."""
    stamp = folder / ".pins"
    wished = "\n".join([*pins, *options])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wished:
        return
    shutil.rmtree(folder, ignore_errors=True)
    _pip("download", "--quiet", "--no-deps", "--only-binary=:all:", *options, f"--dest={folder}", *pins)
    stamp.write_text(wished, encoding="utf-8")


def _pip(*words: str) -> None:
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], timeout=_SECONDS)
