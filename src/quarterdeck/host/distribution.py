"""Which distribution this is, so that advice names commands that work here.

Source of the fields: os-release(5).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.arch import Arch
from quarterdeck.host.files import number, read_text
from quarterdeck.host.tools import Tool

_SPLIT_SINCE = 13
"""Debian 13 gave RISC-V and s390x emulators packages of their own."""


@dataclass(frozen=True)
class Distribution:
    """Name for people, ``apt`` when Debian's packages are used, and the release's number (0: none, as in testing)."""

    title: str
    apt: bool
    release: int


def distribution(root: Path = Path("/")) -> Distribution:
    """Return what /etc/os-release says of this host or container."""
    fields = _fields(read_text(root, "/etc/os-release") or read_text(root, "/usr/lib/os-release"))
    family = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    is_debian = fields.get("ID") == "debian"
    release = number(fields.get("VERSION_ID", "").partition(".")[0]) or 0 if is_debian else 0
    return Distribution(fields.get("PRETTY_NAME", "an unknown distribution"), bool(family & {"debian", "ubuntu"}), release)


def emulator_package(arch: Arch, root: Path = Path("/")) -> str:
    """Return the Debian package of the system emulator of ``arch`` in the release that we run on."""
    release = distribution(root).release
    newer = release == 0 or release >= _SPLIT_SINCE
    return arch.package_debian13 if newer and arch.package_debian13 else arch.package


def tool_package(tool: Tool, root: Path = Path("/")) -> str:
    """Return the Debian package of a helper in the release that we run on."""
    older = 0 < distribution(root).release < _SPLIT_SINCE
    return tool.package_debian12 if older and tool.package_debian12 else tool.package


def install_hint(*packages: str, root: Path = Path("/")) -> str:
    """Return the command that installs Debian ``packages``, or what to look for where apt does not exist."""
    names = " ".join(packages)
    if distribution(root).apt:
        return f"apt-get install --no-install-recommends {names}"
    return f"install the package of this distribution that Debian calls {names}"


def _fields(text: str) -> dict[str, str]:
    fields = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        try:
            fields[name.strip()] = " ".join(shlex.split(value))
        except ValueError:
            continue
    return fields
