"""Blocking work in a thread that can be stopped and tells how far it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import QuarterdeckError

_T = TypeVar("_T")

Tick = Callable[[int], None]
"""Called now and then with the bytes that are done; raises when the work is to end."""


class _StoppedError(QuarterdeckError):
    """Nobody wants the result any more."""


async def in_thread(work: Callable[[Tick], _T], *, report: Reporter, detail: str, total: int | None) -> _T:
    """Do ``work`` in a thread and return its result; ``total`` is how many bytes there are, None when nobody knows.

    When the caller is cancelled, the next tick ends the work, and that is waited for: it may not write after its folder is gone.
    """
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    last = -1

    def tick(done: int) -> None:
        nonlocal last
        if stop.is_set():
            raise _StoppedError("stopped", f"{detail} was stopped")
        pace = done * 100 // total if total else done >> 24
        if pace != last:
            last = pace
            loop.call_soon_threadsafe(report, Step("disk", StepStatus.RUNNING, detail, done=done, total=total, unit="bytes"))

    task = asyncio.create_task(asyncio.to_thread(work, tick))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise
