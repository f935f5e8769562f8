"""The kernel, and the container that we may be in."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from quarterdeck.host.check import Check, Status
from quarterdeck.host.container import container
from quarterdeck.host.distribution import distribution

_OLDEST = (5, 10)
"""Debian 11's; Python 3.11 with pidfd_open (5.3) and passt's needs work there."""


async def check() -> list[Check]:
    """Return what kernel, distribution and container this is."""
    return [kernel_check(platform.release()), place_check()]


def kernel_check(release: str) -> Check:
    """Judge the kernel ``release`` as uname(2) gives it."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", release, re.ASCII)
    if match is None:
        return Check(key="kernel", title="Kernel", status=Status.WARN, detail=f"{release or 'unknown'}: its version cannot be told")
    if (int(match[1]), int(match[2])) < _OLDEST:
        oldest = ".".join(str(part) for part in _OLDEST)
        return Check(key="kernel", title="Kernel", status=Status.WARN, detail=f"Linux {release}", fix=f"upgrade to Linux {oldest} or newer")
    return Check(key="kernel", title="Kernel", status=Status.OK, detail=f"Linux {release} on {platform.machine()}")


def place_check(root: Path = Path("/")) -> Check:
    """Say which distribution this is, and which container."""
    manager, title = container(root), distribution(root).title
    detail = f"{title}, in a {manager} container" if manager else f"{title}, not in a container"
    return Check(key="place", title="System", status=Status.INFO, detail=detail)
