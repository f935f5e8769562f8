"""The task that gives the guest's memory to the host and back, while QEMU runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from quarterdeck.core.report import Level, Message
from quarterdeck.core.size import format_size
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.host import resources
from quarterdeck.machine.devices.small import BALLOON_ID
from quarterdeck.machine.spec import BallooningSpec, MachineSpec
from quarterdeck.runtime.balloon.controller import Bounds, Cause, Decision, Reading, decide
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.state import EXECUTING
from quarterdeck.runtime.status import Status

_DEVICE = f"/machine/peripheral/{BALLOON_ID}"
_UNTOLD = (1 << 64) - 1
"""What QEMU answers for a statistic that the guest did not send (QEMU 7.2, ``hw/virtio/virtio-balloon.c``)."""
_DEAF_LOOKS = 3
"""How many looks may pass before a guest that gives nothing back is reported."""


class BalloonWatch:
    """The balloon of one machine, over all its restarts.

    ``look`` returns what the container or host has, in bytes, and its memory pressure in percent.
    """

    def __init__(
        self,
        status: Status,
        spec: Callable[[], MachineSpec],
        *,
        look: Callable[[], tuple[resources.Memory, float | None]] | None = None,
    ) -> None:
        self._status = status
        self._spec = spec
        self._look = look or (lambda: (resources.memory(), resources.memory_pressure()))
        self._cause = Cause.REST
        self._deaf = 0

    async def run(self, instance: Instance) -> None:
        """Follow the host's memory until cancelled or QEMU is gone; without ``ballooning``, or a balloon, at once done."""
        wanted = self._spec().ballooning
        if wanted is None:
            return
        self._cause, self._deaf = Cause.REST, 0
        bounds: Bounds | None = None
        while instance.process.alive():
            with suppress(QemuError, DeadlineError):  # the machine is just ending, or its connection is being renewed
                bounds = bounds or await self._begin(instance.qmp, wanted)
                if bounds is None:
                    return
                if self._status.state in EXECUTING:
                    await self._step(instance.qmp, bounds, wanted)
            await asyncio.sleep(wanted.interval)

    async def _begin(self, qmp: Qmp, wanted: BallooningSpec) -> Bounds | None:
        try:
            await _poll_statistics(qmp, wanted.interval)
        except QemuError as error:
            if error.key != "qmp-refused":
                raise
            self._status.report(Message(Level.WARNING, "ballooning does nothing: this machine has no balloon"))
            return None
        return bounds_of(wanted, await memory_size(qmp))

    async def _step(self, qmp: Qmp, bounds: Bounds, wanted: BallooningSpec) -> None:
        memory, pressure = await asyncio.to_thread(self._look)
        reading = Reading(
            total=memory.total,
            available=memory.available,
            pressure=pressure,
            actual=await actual_size(qmp),
            spare=await _spare(qmp),
        )
        decision = decide(reading, bounds, wanted)
        if decision.cause is not Cause.REST:
            await qmp.execute("balloon", {"value": decision.target})
        self._tell(decision, reading, bounds)

    def _tell(self, decision: Decision, reading: Reading, bounds: Bounds) -> None:
        """Say when the direction changes, and once when the guest gives nothing back."""
        takes = decision.cause in {Cause.SHORT, Cause.NEED}
        self._deaf = self._deaf + 1 if takes and reading.actual >= bounds.maximum else 0
        if self._deaf == _DEAF_LOOKS:
            self._status.report(Message(Level.WARNING, "the guest gives no memory back; its system needs the virtio balloon driver"))
        if decision.cause is not self._cause and decision.cause is not Cause.REST:
            size = f"the guest has {format_size(reading.actual)} of memory and is to have {format_size(decision.target)}"
            self._status.report(Message(Level.INFO, f"{decision.cause}: {size}"))
        self._cause = decision.cause


def bounds_of(wanted: BallooningSpec, memory: int) -> Bounds:
    """Return between what the memory of a guest with ``memory`` bytes moves."""
    least = wanted.minimum if isinstance(wanted.minimum, int) else memory * int(wanted.minimum.removesuffix("%")) // 100
    return Bounds(minimum=min(memory, least), maximum=memory)


async def memory_size(qmp: Qmp) -> int:
    """Return the bytes that the machine has when the balloon takes none."""
    return _whole(await qmp.execute("query-memory-size-summary"), "base-memory")


async def actual_size(qmp: Qmp) -> int:
    """Return the bytes that the balloon leaves to the guest now."""
    return _whole(await qmp.execute("query-balloon"), "actual")


async def _poll_statistics(qmp: Qmp, seconds: int) -> None:
    """Have QEMU ask the guest for statistics. Source: QEMU ``docs/virtio-balloon-stats.txt``."""
    await qmp.execute("qom-set", {"path": _DEVICE, "property": "guest-stats-polling-interval", "value": seconds})


async def _spare(qmp: Qmp) -> int | None:
    """Return the bytes that the guest could do without, None when it did not say."""
    reply = await qmp.execute("qom-get", {"path": _DEVICE, "property": "guest-stats"})
    stats = reply.get("stats") if isinstance(reply, dict) and reply.get("last-update") else None
    spare = stats.get("stat-available-memory") if isinstance(stats, dict) else None
    return spare if isinstance(spare, int) and 0 <= spare < _UNTOLD else None


def _whole(reply: Any, name: str) -> int:
    value = reply.get(name) if isinstance(reply, dict) else None
    if not isinstance(value, int):
        raise QemuError("qmp-odd-reply", f"QEMU told no '{name}'")
    return value
