"""What cgroups leave to us, and the room on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from quarterdeck.core import paths
from quarterdeck.core.size import format_size
from quarterdeck.host.check import Check, Status
from quarterdeck.host.resources import cpu_count, limits, memory

_LEAST_MEMORY = 512 << 20
_LEAST_DISK = 1 << 30
_SCANT_DISK = 10 << 30


async def check() -> list[Check]:
    """Return limits of processors and memory, and the free space."""
    root = Path("/")
    return [cgroup_check(root), memory_check(root), disk_check(paths.home())]


def cgroup_check(root: Path) -> Check:
    """Say which cgroup version there is and what it limits."""
    limit = limits(root)
    if limit.version == 0:
        return Check(key="cgroup", title="Control groups", status=Status.INFO, detail="none are visible, so no limit is known")
    cpus = f"{limit.cpus:g} CPUs" if limit.cpus is not None else "no CPU limit"
    amount = format_size(limit.memory) if limit.memory is not None else "no memory limit"
    detail = f"version {limit.version}: {cpus}, {amount}; {cpu_count(root)} CPUs can be used"
    if limit.version == 1:
        fix = "boot with systemd.unified_cgroup_hierarchy=1 for version 2, which rootless containers need for limits"
        return Check(key="cgroup", title="Control groups", status=Status.INFO, detail=detail, fix=fix)
    return Check(key="cgroup", title="Control groups", status=Status.OK, detail=detail)


def memory_check(root: Path) -> Check:
    """Say how much memory guests can have."""
    amount = memory(root)
    detail = f"{format_size(amount.available)} of {format_size(amount.total)} available"
    if amount.total == 0:
        return Check(key="memory", title="Memory", status=Status.WARN, detail="neither /proc/meminfo nor a cgroup tells how much there is")
    if amount.available < _LEAST_MEMORY:
        return Check(key="memory", title="Memory", status=Status.WARN, detail=detail, fix="stop something, or raise the container's limit")
    return Check(key="memory", title="Memory", status=Status.OK, detail=detail)


def disk_check(home: Path) -> Check:
    """Say how much room there is where machines live, and whether we may write there."""
    place = _existing(home)
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Check(key="disk", title="Disk space", status=Status.FAIL, detail=f"{home}: {error.strerror}", fix=_ELSEWHERE, needed=True)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Check(key="disk", title="Disk space", status=Status.FAIL, detail=f"{place} is not writable", fix=_ELSEWHERE, needed=True)
    detail = f"{format_size(free)} free for {home}"
    if free < _LEAST_DISK:
        return Check(
            key="disk", title="Disk space", status=Status.FAIL, detail=detail, fix=f"free some space, or {_ELSEWHERE}", needed=True
        )
    if free < _SCANT_DISK:
        return Check(
            key="disk", title="Disk space", status=Status.WARN, detail=detail, fix=f"free some space, or {_ELSEWHERE}", needed=True
        )
    return Check(key="disk", title="Disk space", status=Status.OK, detail=detail, needed=True)


_ELSEWHERE = "set QUARTERDECK_HOME to a folder elsewhere"


def _existing(path: Path) -> Path:
    """Return the nearest parent that exists and that we may look at."""
    for candidate in (path, *path.parents):
        try:
            if candidate.exists():
                return candidate
        except OSError:
            continue
    return Path("/")
