"""How many processors and how much memory cgroups and affinity leave to us.

A container's /proc shows the whole host; what counts is the smallest limit on the way from our cgroup up to the
one that is mounted. Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, proc(5).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quarterdeck.host.files import exists, number, read_number, read_text

_UNLIMITED = 1 << 60
"""cgroup v1 writes no limit as the largest multiple of the page size in 63 bits."""


@dataclass(frozen=True)
class Limits:
    """Processors (a fraction is possible) and memory in bytes; None where nothing limits. ``version`` is 1, 2 or 0 for no cgroups."""

    version: int
    cpus: float | None
    memory: int | None
    memory_left: int | None


@dataclass(frozen=True)
class Memory:
    """Bytes: ``total`` is the most we could ever have, ``available`` what is free of it now."""

    total: int
    available: int


def cpu_count(root: Path = Path("/")) -> int:
    """Return how many processors we may keep busy: affinity, then the cgroup's quota rounded down, at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota = limits(root).cpus
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def memory(root: Path = Path("/")) -> Memory:
    """Return the memory we may use; zero where neither /proc nor a cgroup says."""
    host, limit = _meminfo(root), limits(root)
    total = _least(host.get("MemTotal"), limit.memory)
    return Memory(total, min(total, _least(host.get("MemAvailable", host.get("MemFree")), limit.memory_left)))


def memory_pressure(root: Path = Path("/")) -> float | None:
    """Return percent of the last ten seconds in which something waited for memory: in our cgroup, else on the whole host.

    None where the kernel does not measure it. Source: the kernel's Documentation/accounting/psi.rst, ``some avg10``.
    """
    for path in (*(f"{folder}/memory.pressure" for folder in _folders(root, "")[:1]), "/proc/pressure/memory"):
        found = re.search(r"^some avg10=(\d+\.\d+)", read_text(root, path), re.MULTILINE)
        if found is not None:
            return float(found[1])
    return None


def limits(root: Path = Path("/")) -> Limits:
    """Return what cgroups allow us, version 2 or 1."""
    unified, cpu, memory_folders = _folders(root, ""), _folders(root, "cpu"), _folders(root, "memory")
    version = 1 if cpu or memory_folders else 2 if unified else 0
    quotas = [*(_quota_v2(root, folder) for folder in unified), *(_quota_v1(root, folder) for folder in cpu)]
    memories = [*(_memory_v2(root, folder) for folder in unified), *(_memory_v1(root, folder) for folder in memory_folders)]
    known = [entry for entry in memories if entry is not None]
    return Limits(
        version,
        min((quota for quota in quotas if quota is not None), default=None),
        min((limit for limit, _ in known), default=None),
        min((left for _, left in known), default=None),
    )


def oom_kills(root: Path = Path("/")) -> int | None:
    """Return how many processes of our cgroup the kernel killed for want of memory; None where it does not count them.

    Source: ``oom_kill`` of memory.events in version 2, of memory.oom_control in version 1 since Linux 4.13.
    """
    names = (("", "memory.events"), ("memory", "memory.oom_control"))
    files = [f"{folders[0]}/{file}" for controller, file in names if (folders := _folders(root, controller))]
    for line in (line for file in files for line in read_text(root, file).splitlines()):
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return number(count)
    return None


def _meminfo(root: Path) -> dict[str, int]:
    values = {}
    for line in read_text(root, "/proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        amount = number(rest.removesuffix("kB").strip())
        if amount is not None:
            values[name] = amount * 1024
    return values


def _least(*values: int | None) -> int:
    return min((value for value in values if value is not None), default=0)


def _folders(root: Path, controller: str) -> list[str]:
    """Return our cgroup's folder of ``controller`` (empty: version 2) and all its parents up to the mount."""
    place = _own_cgroup(root, controller)
    mount = _mount(root, controller)
    if place is None or mount is None:
        return []
    mount_root, mount_point = mount
    # A container that kept the host's cgroup namespace sees its path from the host's root, yet only its own part mounted.
    inside = PurePosixPath(place)
    relative = inside.relative_to(mount_root) if inside.is_relative_to(mount_root) else PurePosixPath()
    folder = PurePosixPath(mount_point) / relative
    if ".." in folder.parts or not exists(root, str(folder)):
        folder = PurePosixPath(mount_point)
    chain = [folder, *folder.parents]
    return [str(entry) for entry in chain if entry.is_relative_to(mount_point)]


def _own_cgroup(root: Path, controller: str) -> str | None:
    """Return our path in the hierarchy of ``controller``. Source: cgroups(7), ``/proc/PID/cgroup``."""
    for line in read_text(root, "/proc/self/cgroup").splitlines():
        fields = line.split(":", 2)
        if len(fields) == 3 and (controller in fields[1].split(",")) and fields[2].startswith("/"):
            return fields[2]
    return None


def _mount(root: Path, controller: str) -> tuple[str, str] | None:
    """Return the root and the mount point of the hierarchy of ``controller``. Source: proc(5), ``/proc/PID/mountinfo``."""
    for line in read_text(root, "/proc/self/mountinfo").splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if not separator or len(fields) < 6 or len(kind) < 3:
            continue
        is_it = kind[0] == "cgroup2" if not controller else kind[0] == "cgroup" and controller in kind[2].split(",")
        if is_it:
            return _unescape(fields[3]), _unescape(fields[4])
    return None


def _unescape(field: str) -> str:
    for escaped, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(escaped, plain)
    return field


def _quota_v2(root: Path, folder: str) -> float | None:
    fields = read_text(root, f"{folder}/cpu.max").split()
    return _ratio(number(fields[0]), number(fields[1])) if len(fields) == 2 else None


def _quota_v1(root: Path, folder: str) -> float | None:
    return _ratio(read_number(root, f"{folder}/cpu.cfs_quota_us"), read_number(root, f"{folder}/cpu.cfs_period_us"))


def _ratio(quota: int | None, period: int | None) -> float | None:
    return quota / period if quota and period else None


def _memory_v2(root: Path, folder: str) -> tuple[int, int] | None:
    limit = read_number(root, f"{folder}/memory.max")
    return _left(root, folder, (limit, "memory.current", "inactive_file"))


def _memory_v1(root: Path, folder: str) -> tuple[int, int] | None:
    limit = read_number(root, f"{folder}/memory.limit_in_bytes")
    return _left(root, folder, (limit, "memory.usage_in_bytes", "total_inactive_file"))


def _left(root: Path, folder: str, names: tuple[int | None, str, str]) -> tuple[int, int] | None:
    """Return limit and what is left of it; page cache that the kernel would drop first does not count as used."""
    limit, usage, reclaimable = names
    if limit is None or limit >= _UNLIMITED:
        return None
    used = read_number(root, f"{folder}/{usage}") or 0
    used -= _statistic(read_text(root, f"{folder}/memory.stat"), reclaimable)
    return limit, max(0, min(limit, limit - used))


def _statistic(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return number(value.strip()) or 0
    return 0
