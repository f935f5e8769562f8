"""What a machine uses: processor, memory, disk and network, sampled while QEMU runs."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quarterdeck.core import clock
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.instance import Instance

INTERVAL_SECONDS = 2
_KEPT_SAMPLES = 300
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Counters:
    """Totals since QEMU started: processor seconds and bytes. ``memory`` is resident bytes now. None: nobody counts."""

    time: float
    cpu: float
    memory: int
    disk_read: int | None
    disk_written: int | None
    received: int | None
    sent: int | None


class Metrics:
    """Samples one machine and keeps the last ten minutes.

    Network bytes are the host's counters of tap devices. QEMU's user network and passt have none; then the guest's
    own counters are used, which ``guest_traffic`` returns as (received, sent), and without an agent nobody knows: null.
    """

    def __init__(self, events: EventLog, guest_traffic: Callable[[], tuple[int, int] | None]) -> None:
        self._events = events
        self._guest_traffic = guest_traffic
        self._samples: deque[dict[str, Any]] = deque(maxlen=_KEPT_SAMPLES)

    def to_json(self) -> dict[str, Any]:
        """Return the answer of ``GET /metrics``."""
        return {"interval": INTERVAL_SECONDS, "samples": list(self._samples)}

    async def run(self, instance: Instance) -> None:
        """Sample every two seconds until cancelled or QEMU is gone."""
        before: Counters | None = None
        while instance.process.alive():
            now = await self._count(instance)
            if now is not None and before is not None:
                sample = rates(before, now)
                self._samples.append(sample)
                self._events.publish("metrics", sample)
            before = now
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _count(self, instance: Instance) -> Counters | None:
        usage = process_usage(instance.process)
        if usage is None:
            return None
        read, written = await _disk(instance)
        received, sent = _traffic(instance.taps) or self._guest_traffic() or (None, None)
        return Counters(clock.now(), *usage, read, written, received, sent)


def rates(before: Counters, now: Counters) -> dict[str, Any]:
    """Return the sample between two counts, as in the HTTP API."""
    seconds = max(now.time - before.time, 0.001)
    return {
        "time": now.time,
        "cpu": round(max(0.0, now.cpu - before.cpu) / seconds * 100, 1),
        "memory": now.memory,
        "disk_read": _rate(before.disk_read, now.disk_read, seconds),
        "disk_write": _rate(before.disk_written, now.disk_written, seconds),
        "net_rx": _rate(before.received, now.received, seconds),
        "net_tx": _rate(before.sent, now.sent, seconds),
    }


def _rate(before: int | None, now: int | None, seconds: float) -> int | None:
    return None if before is None or now is None else round(max(0, now - before) / seconds)


def process_usage(process: ProcessHandle) -> tuple[float, int] | None:
    """Return processor seconds used and resident bytes, or None when the process is gone.

    Source: proc(5), ``/proc/PID/stat`` fields 14 (utime) and 15 (stime), ``/proc/PID/statm`` field 2.
    """
    try:
        with open(f"/proc/{process.pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS, resident * _PAGE


async def _disk(instance: Instance) -> tuple[int | None, int | None]:
    try:
        totals = await instance.qmp.block_totals()
    except (QemuError, DeadlineError):
        return None, None
    return totals.read, totals.written


def _traffic(taps: tuple[str, ...]) -> tuple[int, int] | None:
    """Return what the guest received and sent; the tap's own view is the other way round."""
    if not taps:
        return None
    try:
        return sum(_tap(tap, "tx_bytes") for tap in taps), sum(_tap(tap, "rx_bytes") for tap in taps)
    except (OSError, ValueError):
        return None


def _tap(name: str, counter: str) -> int:
    with open(f"/sys/class/net/{name}/statistics/{counter}", encoding="ascii") as file:
        return int(file.read())
