"""Says who uses a block device that a machine cannot have.

The kernel itself decides: opened with ``O_EXCL``, a block device is refused while it, a partition of it or something that stands on it is
mounted or in use anywhere on the host, and nobody can mount it while it stays open (open(2)). Containers are seen through, since
the claim belongs to the device.
"""

from __future__ import annotations

import os
from pathlib import Path

from quarterdeck.errors import HostError
from quarterdeck.host.files import below, read_text


def in_use(path: str, *, root: Path = Path("/")) -> HostError:
    """Return the error for a device that somebody else uses."""
    user = _user(path, root)
    return HostError(
        "device-in-use",
        f"{path} is in use on this host",
        reason=user or "another machine has it, or what holds it cannot be seen from here",
        hint="unmount it, or stop what uses it: two systems that write to one disk destroy it",
    )


def _user(path: str, root: Path) -> str:
    numbers = _numbers(path, root)
    for line in read_text(root, "/proc/self/mountinfo").splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[2] in numbers:
            return f"it is mounted at {fields[4]}"
    if any(line.split()[:1] and _same(line.split()[0], numbers, root) for line in read_text(root, "/proc/swaps").splitlines()[1:]):
        return "the host swaps to it"
    holders = [name for number in numbers for name in _names(root, f"/sys/dev/block/{number}/holders")]
    return f"{', '.join(holders)} stands on it" if holders else ""


def _numbers(path: str, root: Path) -> set[str]:
    """Return ``MAJOR:MINOR`` of the device and of its partitions. Source: the kernel's Documentation/ABI/stable/sysfs-block."""
    try:
        device = os.stat(path).st_rdev
    except OSError:
        return set()
    own = f"{os.major(device)}:{os.minor(device)}"
    folder = f"/sys/dev/block/{own}"
    parts = (read_text(root, f"{folder}/{name}/dev") for name in _names(root, folder) if read_text(root, f"{folder}/{name}/partition"))
    return {own, *parts}


def _same(path: str, numbers: set[str], root: Path) -> bool:
    return bool(_numbers(path, root) & numbers)


def _names(root: Path, folder: str) -> list[str]:
    try:
        return sorted(os.listdir(below(root, folder)))
    except OSError:
        return []
