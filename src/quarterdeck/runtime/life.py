"""One life of a machine: from a running QEMU to its end, driven by QEMU's events."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.report import Level, Message, Step, StepStatus
from quarterdeck.errors import DeadlineError, QemuError, QuarterdeckError
from quarterdeck.host.resources import oom_kills
from quarterdeck.runtime import logs
from quarterdeck.runtime.balloon.watch import BalloonWatch
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.guestwatch import GuestWatch
from quarterdeck.runtime.hotplug.watch import UsbWatch
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.metrics import Metrics
from quarterdeck.runtime.qmp import QmpEvent, died
from quarterdeck.runtime.serial_hub import SerialHub
from quarterdeck.runtime.state import State, Trigger, from_run_state, pause_reason, shutdown_reason, trigger_of_stop
from quarterdeck.runtime.status import Status

_DRAIN_SECONDS = 2.0
_RECONNECT_SECONDS = 0.1
_LOG_SECONDS = 10.0
_QUIET_EVENTS = frozenset({"RTC_CHANGE", "BALLOON_CHANGE"})
_PANICKED = "the guest's kernel panicked; the guest is kept paused"
_STOOD_STILL = frozenset({State.PAUSED, State.IO_ERROR, State.PANICKED})
_ORDERLY = frozenset({"guest-shutdown", "guest-reset"})


@dataclass(frozen=True)
class Ended:
    """How a life ended: in order, or with ``error``."""

    reason: str
    error: QuarterdeckError | None = None


@dataclass(frozen=True)
class Watchers:
    """What accompanies a running machine; each outlives single lives."""

    events: EventLog
    status: Status
    serial: SerialHub
    guest: GuestWatch
    metrics: Metrics
    balloon: BalloonWatch
    usb: UsbWatch


class Life:
    """Follows one running QEMU until it ends. ``asked`` is set by whoever ends it on purpose."""

    def __init__(self, instance: Instance, watchers: Watchers) -> None:
        self._instance = instance
        self._watchers = watchers
        self._status = watchers.status
        self._shutdown: dict[str, Any] | None = None
        self._oom_kills = oom_kills() or 0
        self.asked = False

    async def follow(self) -> Ended:
        """Return how QEMU ended; all watchers are stopped then."""
        following = asyncio.create_task(self._follow_events())
        companions = [asyncio.create_task(work) for work in self._companions()]
        try:
            await self._instance.process.wait()
            await asyncio.wait([following], timeout=_DRAIN_SECONDS)
        finally:
            await _cancel([following, *companions])
        return self._ending()

    def _companions(self) -> list[Coroutine[Any, Any, None]]:
        instance, watchers = self._instance, self._watchers
        work = [watchers.metrics.run(instance), watchers.balloon.run(instance), watchers.usb.run(instance)]
        if (agent := instance.socket("agent")) is not None:
            work.append(watchers.guest.run(agent))
        if (serial := instance.socket("serial")) is not None:
            work.append(watchers.serial.run(serial))
            work.append(_limit_log(instance.layout.serial_log))
        work.extend(self._watch_helper(name, process) for name, process in instance.helpers)
        return work

    async def _watch_helper(self, name: str, process: ProcessHandle) -> None:
        await process.wait()
        await asyncio.sleep(_DRAIN_SECONDS)  # helpers end together with QEMU; then this is cancelled
        self._status.report(Message(Level.WARNING, f"{name} ended; what it provided no longer works until the machine is restarted"))

    async def _follow_events(self) -> None:
        """Act on events; when the connection breaks while QEMU lives, connect again."""
        connected = True
        while connected:
            async for event in self._instance.qmp.events():
                await self._on_event(event)
            connected = await self._connect_again()

    async def _connect_again(self) -> bool:
        """Return true once QEMU answers again, false when it is gone."""
        while self._instance.process.alive():
            await asyncio.sleep(_RECONNECT_SECONDS)
            with suppress(QemuError, DeadlineError):
                await self._instance.reconnect()
                await self._look()
                return True
        return False

    async def adopt(self) -> None:
        """Enter the state that QEMU is in, whatever an earlier supervisor believed.

        Raises:
            QemuError, DeadlineError: QEMU does not answer.
        """
        status = await self._instance.qmp.status()
        self._status.enter(from_run_state(status.status), _reason_of(status.status))

    async def _look(self) -> None:
        """Catch up with what QEMU did while the connection was broken.

        Raises:
            QemuError, DeadlineError: QEMU does not answer.
        """
        status = await self._instance.qmp.status()
        if status.running:
            self._resumed()
        else:
            self._stopped(status.status)

    async def _on_event(self, event: QmpEvent) -> None:
        if event.name not in _QUIET_EVENTS:
            self._watchers.events.publish("qemu", {"name": event.name, "data": event.data})
        match event.name:
            case "RESUME" | "WAKEUP":
                self._resumed()
            case "STOP" | "SUSPEND":
                await self._on_stop()
            case "SHUTDOWN":
                self._on_shutdown(event.data)
            case "GUEST_PANICKED":
                self._on_panic(event.data)
            case "BLOCK_IO_ERROR":
                self._on_io_error(event.data)
            case "RESET":
                self._status.apply(Trigger.AGENT_DOWN, "the guest restarts")
                self._watchers.guest.poke()
            case "VSERPORT_CHANGE":
                self._watchers.guest.poke()
            case _:
                pass

    def _resumed(self) -> None:
        if self._status.state in _STOOD_STILL:
            self._watchers.guest.stood_still()
        self._status.apply(Trigger.RESUMED)
        self._watchers.guest.poke()

    async def _on_stop(self) -> None:
        with suppress(QemuError, DeadlineError):
            status = await self._instance.qmp.status()
            if not status.running:
                self._stopped(status.status)

    def _stopped(self, run_state: str) -> None:
        trigger = trigger_of_stop(run_state)
        if trigger is None:
            return
        self._status.apply(trigger, _reason_of(run_state))

    def _on_shutdown(self, data: dict[str, Any]) -> None:
        self._shutdown = data
        self._status.apply(Trigger.STOP_ASKED, shutdown_reason(data))

    def _on_panic(self, data: dict[str, Any]) -> None:
        if data.get("action") == "pause" and self._status.apply(Trigger.PANICKED, _PANICKED):
            where = self._instance.layout.serial_log
            self._status.report(Message(Level.ERROR, f"the guest's kernel panicked; its last words may be in {where}"))
            self._status.report(Step("guest", StepStatus.FAILED, "the guest's kernel panicked"))

    def _on_io_error(self, data: dict[str, Any]) -> None:
        full = data.get("nospace") is True
        why = "the host's disk is full" if full else str(data.get("reason", "") or "input/output error")
        what = f"disk {data.get('device') or data.get('node-name', '')}: {data.get('operation', 'access')} failed: {why}"
        if data.get("action") == "stop":
            advice = "free some space" if full else "mend the disk"
            self._status.apply(Trigger.IO_FAILED, f"{what}; {advice}, then resume")
        self._status.report(Message(Level.WARNING, what))

    def _ending(self) -> Ended:
        if self.asked:
            return Ended("stopped as asked")
        shutdown = self._shutdown
        if shutdown is not None and self._exit_status() == 0:
            reason = shutdown_reason(shutdown)
            if shutdown.get("guest") is True and shutdown.get("reason", "guest-shutdown") in _ORDERLY:
                return Ended(reason)
            return Ended(reason, QemuError("qemu-ended", reason, hint=f"its log is {self._instance.layout.qemu_log}"))
        error = self._starved() or died(self._instance.process, self._instance.layout.qemu_log)
        return Ended(error.message, error)

    def _starved(self) -> QemuError | None:
        """Return the error when the kernel killed QEMU because a container or unit has no more memory."""
        if self._instance.process.returncode not in {None, -signal.SIGKILL} or (oom_kills() or 0) <= self._oom_kills:
            return None
        return QemuError(
            "out-of-memory",
            "QEMU was killed by the kernel: the memory that this machine may have is used up",
            reason="QEMU needs about 200 MiB besides the guest's memory",
            hint="give the machine less memory, or its container more: docker run --memory",
        )

    def _exit_status(self) -> int:
        """QEMU's exit status; after a takeover nobody knows it, and the event says what happened."""
        return self._instance.process.returncode or 0


def _reason_of(run_state: str) -> str:
    match from_run_state(run_state):
        case State.PANICKED:
            return _PANICKED
        case State.IO_ERROR:
            return "QEMU paused the guest because a disk of it failed"
        case _:
            return pause_reason(run_state)


async def _limit_log(path: Path) -> None:
    """Keep a talkative guest from filling the host's disk."""
    while True:
        await asyncio.sleep(_LOG_SECONDS)
        await asyncio.to_thread(logs.limit, path)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for failure in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(failure, Exception):
            raise failure
