"""The one place that knows the machine's present state, writes it to disk and tells everyone who watches."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from quarterdeck.core import clock
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.report import Event, Level, Message, Step, StepStatus
from quarterdeck.errors import QuarterdeckError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.state import State, Trigger, next_state
from quarterdeck.runtime.statefile import ProcessId, StoredState


class Status:
    """State, steps and error of one supervised machine. Every change of ``state.json`` goes through here."""

    def __init__(self, layout: MachineLayout, events: EventLog, stored: StoredState) -> None:
        self._layout = layout
        self._events = events
        self._steps: dict[str, Step] = {}
        self._writable = True
        self._stored = replace(_of_this_boot(stored), supervisor=_own_process())

    @property
    def stored(self) -> StoredState:
        """What state.json holds."""
        return self._stored

    @property
    def state(self) -> State:
        """The present state."""
        return self._stored.state

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the present start, as in the HTTP API."""
        return [step_json(step) for step in self._steps.values()]

    def apply(self, trigger: Trigger, reason: str = "") -> bool:
        """Take the transition that ``trigger`` means now; return whether there was one."""
        target = next_state(self.state, trigger)
        if target is None:
            return False
        self.enter(target, reason)
        return True

    def enter(self, state: State, reason: str = "") -> None:
        """Go to ``state`` whatever the present one is; for what a takeover finds."""
        self.change(state=state, since=clock.now(), reason=reason)
        self._events.publish("state", {"state": state.value, "reason": reason})

    def change(self, **changes: Any) -> None:
        """Replace fields of state.json. A disk that is full must not end the supervisor just when it is needed."""
        try:
            self.record(**changes)
        except OSError as error:
            if self._writable:
                self.report(Message(Level.WARNING, f"the state cannot be written to disk: {error.strerror}; 'qd ls' shows an old one"))
            self._writable = False
        else:
            self._writable = True

    def record(self, **changes: Any) -> None:
        """Replace fields of state.json that a takeover depends on.

        Raises:
            OSError: the file cannot be written.
        """
        self._stored = replace(self._stored, **changes)
        statefile.write(self._layout.state, self._stored)

    def begin(self) -> None:
        """Forget the steps and the error of an earlier start."""
        self._steps.clear()
        self.change(error=None)

    def fail(self, error: QuarterdeckError) -> None:
        """Keep ``error`` as what went wrong, and mark the step that it ended."""
        self.change(error=error.to_json())
        running = [step for step in self._steps.values() if step.status is StepStatus.RUNNING]
        for step in running:
            self.report(replace(step, status=StepStatus.FAILED, detail=error.message))
        self.report(Message(Level.ERROR, error.message))

    def report(self, event: Event) -> None:
        """Publish a progress event; this is the Reporter of all work done for the machine."""
        match event:
            case Step():
                self._steps[event.step] = event
                self._events.publish("step", step_json(event))
            case Message():
                self._events.publish("message", {"level": event.level.value, "text": event.text})

    def gone(self) -> None:
        """Record that this supervisor ends."""
        self.change(supervisor=None, viewer=None)


def step_json(step: Step) -> dict[str, Any]:
    """Return the step as the HTTP API and the event log carry it."""
    return {**vars(step), "status": step.status.value}


def _of_this_boot(stored: StoredState) -> StoredState:
    """Forget processes from before the host was booted: their pids belong to others now."""
    now = clock.boot_id()
    return stored if stored.boot_id == now else replace(stored, boot_id=now, qemu=None, helpers=())


def _own_process() -> ProcessId | None:
    handle = ProcessHandle.find(os.getpid())
    return None if handle is None else ProcessId.of(handle)
