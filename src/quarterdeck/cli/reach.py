"""From a machine's name to the supervisor that answers for it."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from quarterdeck.cli.output import say
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.statefile import CorruptStateError
from quarterdeck.runtime.store import MachineStore

ENDING = frozenset({"supervisor-gone", "shutting-down"})
"""Keys of the errors with which a supervisor answers that is ending, or does not answer any more."""
_BUSY_SECONDS = 15.0
_PAUSE_SECONDS = 0.2
_END_SECONDS = 15.0


def reach(name: str) -> SupervisorClient:
    """Return a client of the machine's supervisor; a machine that lost it gets a new one, which takes it over.

    Raises:
        UsageError: there is no such machine, or it does not run.
    """
    store = MachineStore()
    record = store.get(name)
    layout = store.layout(name)
    if record.supervised:
        return SupervisorClient(layout.api_socket)
    if not record.qemu_alive:
        raise UsageError("not-running", f"machine '{name}' is {record.state}", reason=record.reason, hint=f"start it: qd start {name}")
    say(f"The supervisor of {name} is gone: taking the machine over.", "yellow")
    client = begin(layout, adopt=True)
    _wait_until_taken_over(client)
    return client


def _wait_until_taken_over(client: SupervisorClient) -> None:
    """Wait for the state that the new supervisor found; before it, it cannot obey."""
    with suppress(QuarterdeckError):  # it ended again; what is asked next will say so
        for record in client.events():
            if record.type == "state":
                return


def begin(layout: MachineLayout, *, adopt: bool = False) -> SupervisorClient:
    """Start a supervisor, which starts the machine, or with ``adopt`` only takes over a running one.

    Another command may do the same at this moment; then its supervisor is the one to speak to.

    Raises:
        QuarterdeckError: the supervisor did not come up; ``machine-busy`` when somebody else holds the machine for long.
    """
    from quarterdeck.runtime.spawn import spawn_supervisor

    argv = [sys.executable, "-m", "quarterdeck.cli.supervise", layout.root.name, *(["--adopt"] if adopt else [])]
    client = SupervisorClient(layout.api_socket)
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            spawn_supervisor(layout, argv)
        except UsageError as error:
            if error.key != "machine-busy" or time.monotonic() > deadline:
                raise
        else:
            return client
        if _answers(client):
            return client
        time.sleep(_PAUSE_SECONDS)


def supervisor_of(layout: MachineLayout) -> ProcessHandle | None:
    """Return the process that supervises the machine now, or None."""
    with suppress(CorruptStateError):
        process = statefile.read(layout.state).supervisor
        return None if process is None else process.handle()
    return None


def wait_until_gone(supervisor: ProcessHandle | None) -> None:
    """Wait until a supervisor that is ending has given the machine back."""
    if supervisor is not None:
        supervisor.wait_sync(_END_SECONDS)


def _answers(client: SupervisorClient) -> bool:
    try:
        client.request("GET", "/machine")
    except QuarterdeckError:
        return False
    return True
