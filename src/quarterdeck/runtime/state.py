"""The states of a machine and what leads from one to the next. Pure: no I/O.

QMP events, the agent's answers and the ends of processes become triggers; the table says what a trigger
means in the present state. A trigger that a state does not know is ignored: events may come late.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a machine stands; the meaning of each is in ``docs/architecture.md``."""

    CREATED = "created"
    PREPARING = "preparing"
    STARTING = "starting"
    RUNNING = "running"
    READY = "ready"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"
    PANICKED = "panicked"
    IO_ERROR = "io-error"
    UNKNOWN = "unknown"
    """Only shown, for a machine whose state file cannot be read."""


class Trigger(StrEnum):
    """What can happen to a machine."""

    PREPARE = "prepare"
    LAUNCHED = "launched"
    RESUMED = "resumed"
    PAUSED = "paused"
    IO_FAILED = "io-failed"
    PANICKED = "panicked"
    AGENT_UP = "agent-up"
    AGENT_DOWN = "agent-down"
    STOP_ASKED = "stop-asked"
    ENDED = "ended"
    DIED = "died"


RESTING = frozenset({State.CREATED, State.STOPPED, State.CRASHED, State.UNKNOWN})
"""States in which no QEMU runs."""
LIVE = frozenset(State) - RESTING
"""States that claim a living QEMU or supervisor."""
EXECUTING = frozenset({State.RUNNING, State.READY})
"""States in which the guest's processors run."""

_HALTED = frozenset({State.PAUSED, State.IO_ERROR, State.PANICKED})

_TABLE: dict[Trigger, tuple[frozenset[State], State]] = {
    Trigger.PREPARE: (RESTING, State.PREPARING),
    Trigger.LAUNCHED: (frozenset({State.PREPARING}), State.STARTING),
    Trigger.RESUMED: (_HALTED | {State.STARTING}, State.RUNNING),
    Trigger.PAUSED: (EXECUTING, State.PAUSED),
    Trigger.IO_FAILED: (EXECUTING | {State.PAUSED}, State.IO_ERROR),
    Trigger.PANICKED: (EXECUTING | {State.PAUSED, State.STOPPING}, State.PANICKED),
    Trigger.AGENT_UP: (frozenset({State.RUNNING}), State.READY),
    Trigger.AGENT_DOWN: (frozenset({State.READY}), State.RUNNING),
    Trigger.STOP_ASKED: (LIVE - {State.STOPPING}, State.STOPPING),
    Trigger.ENDED: (LIVE, State.STOPPED),
    Trigger.DIED: (LIVE, State.CRASHED),
}

_RUN_STATES = {
    "running": State.RUNNING,
    "prelaunch": State.STARTING,
    "io-error": State.IO_ERROR,
    "guest-panicked": State.PANICKED,
    "shutdown": State.STOPPING,
}

_PAUSE_REASONS = {
    "suspended": "the guest sleeps; resume wakes it",
    "watchdog": "the watchdog of the guest fired",
    "internal-error": "QEMU had an internal error; reset or stop the machine",
}


def next_state(state: State, trigger: Trigger) -> State | None:
    """Return the state that ``trigger`` leads to, or None when it changes nothing in ``state``."""
    sources, target = _TABLE[trigger]
    return target if state in sources else None


def from_run_state(status: str) -> State:
    """Return our state for QEMU's RunState (qapi/run-state.json); all that are not named here are kinds of pause."""
    return _RUN_STATES.get(status, State.PAUSED)


def pause_reason(status: str) -> str:
    """Return why QEMU paused the guest, in words, or nothing when the user did."""
    return _PAUSE_REASONS.get(status, "")


def trigger_of_stop(status: str) -> Trigger | None:
    """Return what a QMP STOP event means, from the RunState that QEMU reports after it."""
    match from_run_state(status):
        case State.IO_ERROR:
            return Trigger.IO_FAILED
        case State.PANICKED:
            return Trigger.PANICKED
        case State.PAUSED:
            return Trigger.PAUSED
        case _:
            return None


def shutdown_reason(data: Mapping[str, Any]) -> str:
    """Return who ended the guest, from the data of a QMP SHUTDOWN event (qapi/run-state.json, ShutdownCause)."""
    causes = {
        "guest-shutdown": "the guest powered itself off",
        "guest-reset": "the guest reset itself and QEMU was told not to restart",
        "guest-panic": "the guest's kernel panicked",
        "host-qmp-quit": "QEMU was told to quit",
        "host-qmp-system-reset": "QEMU was reset",
        "host-signal": "QEMU got a signal to end",
        "host-error": "QEMU met an error of the host",
        "host-ui": "QEMU's window was closed",
        "subsystem-reset": "a subsystem reset the guest",
    }
    fallback = "the guest powered itself off" if data.get("guest") is True else "QEMU ended"
    return causes.get(str(data.get("reason", "")), fallback)
