"""Long work asked of a machine's supervisor: what it reports is passed on, and the work ends when whoever asked is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from quarterdeck.core import clock
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus
from quarterdeck.errors import QuarterdeckError
from quarterdeck.runtime.client import SupervisorClient

_PATIENCE = 7 * 86400.0
"""Seconds that an answer may take: copies of large disks take hours."""


async def ask(socket: Path, path: str, body: dict[str, Any], *, steps: Collection[str], report: Reporter) -> Any:
    """Post ``body`` to ``path`` of the supervisor at ``socket`` and return its answer; ``report`` gets messages and ``steps`` meanwhile.

    Raises:
        QuarterdeckError: what the supervisor answered, or that it is gone.
    """
    client = SupervisorClient(socket, timeout=_PATIENCE)
    follower = _Follower(client, steps, report)
    work = asyncio.ensure_future(asyncio.to_thread(client.request, "POST", path, body))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        with suppress(QuarterdeckError):
            await asyncio.to_thread(client.request, "POST", "/storage/cancel")
        await asyncio.wait([work])
        raise
    finally:
        follower.stop()


class _Follower:
    """A thread that passes on to the event loop what a supervisor reports from now on; it ends with the process."""

    def __init__(self, client: SupervisorClient, steps: Collection[str], report: Reporter) -> None:
        self._client = client
        self._steps = steps
        self._report = report
        self._since = clock.now()
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Pass on nothing more."""
        self._stopped.set()

    def _follow(self) -> None:
        # A loop that is closed was left by somebody who wants to hear no more.
        with suppress(QuarterdeckError, OSError, RuntimeError):
            for record in self._client.events():
                if self._stopped.is_set():
                    return
                event = self._event(record.type, record.data)
                if event is not None and record.data.get("time", 0) >= self._since:
                    self._loop.call_soon_threadsafe(self._report, event)

    def _event(self, kind: str, data: dict[str, Any]) -> Message | Step | None:
        if kind == "message":
            return Message(Level(data["level"]), str(data["text"]))
        if kind == "step" and data["step"] in self._steps:
            return Step(data["step"], StepStatus(data["status"]), data["detail"], data["done"], data["total"], data["unit"])
        return None
