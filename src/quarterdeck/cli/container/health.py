"""``qd-machine health``: what the engine's health check is told. It asks the supervisor, and no port of the guest."""

from __future__ import annotations

from typing import Any

from quarterdeck.errors import QuarterdeckError
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.guestwatch import FELL_SILENT
from quarterdeck.runtime.state import State
from quarterdeck.runtime.store import MachineStore

_WELL = {
    State.CREATED: "is being prepared",
    State.PREPARING: "is being prepared",
    State.STARTING: "is starting",
    State.RUNNING: "runs",
    State.READY: "runs, and its agent answers",
    State.PAUSED: "is paused, as somebody asked",
    State.STOPPING: "is shutting down",
    State.STOPPED: "is stopped; the console can start it again",
}


def judge(machine: dict[str, Any]) -> tuple[bool, str]:
    """Return whether ``machine``, as ``GET /machine`` describes it, is well, and a line about it.

    A guest whose agent answered once and no longer does is not well: it hangs, or lost what it needs.
    """
    state, name, reason = State(machine["state"]), machine["name"], machine.get("reason") or ""
    if state is State.RUNNING and reason == FELL_SILENT:
        return False, f"{name} runs, but {reason}"
    if state in _WELL:
        return True, f"{name} {_WELL[state]}"
    return False, f"{name} is {state.value}{f': {reason}' if reason else ''}"


def check() -> int:
    """Ask the supervisor of this container, print a line, and return 0 when the machine is well, else 1."""
    well, line = _ask()
    print(line)  # noqa: T201 - engines keep it with the result
    return 0 if well else 1


def _ask() -> tuple[bool, str]:
    store = MachineStore()
    running = [record.name for record in store.list() if record.supervised]
    if not running:
        return False, "no machine is supervised here"
    try:
        return judge(SupervisorClient(store.layout(running[0]).api_socket).request("GET", "/machine"))
    except QuarterdeckError as error:
        return False, error.message
