"""Time, in one place so that tests can hold it still."""

from __future__ import annotations

import time


def now() -> float:
    """Return seconds since the epoch."""
    return time.time()


def boot_id() -> str:
    """Return the kernel's id of this boot; it changes at every reboot of the host.

    Source: ``/proc/sys/kernel/random/boot_id``, random(4).
    """
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def stamp() -> str:
    """Return the time as a name, in UTC: ``20260131-235959``."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime())
