"""From a machine's name to the supervisor that answers for it."""

from __future__ import annotations

import sys

from quarterdeck.cli.output import say
from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.spawn import spawn_supervisor
from quarterdeck.runtime.store import MachineStore


def reach(name: str) -> SupervisorClient:
    """Return a client of the machine's supervisor; a machine that lost it gets a new one, which takes it over.

    Raises:
        UsageError: there is no such machine, or it does not run.
    """
    store = MachineStore()
    record = store.get(name)
    layout = store.layout(name)
    if not record.supervised:
        if not record.qemu_alive:
            raise UsageError("not-running", f"machine '{name}' is {record.state}", reason=record.reason, hint=f"start it: qd start {name}")
        say(f"The supervisor of {name} is gone: taking the machine over.", "yellow")
        begin(layout, adopt=True)
    return SupervisorClient(layout.api_socket)


def begin(layout: MachineLayout, *, adopt: bool = False) -> SupervisorClient:
    """Start a supervisor, which starts the machine, or with ``adopt`` only takes over a running one."""
    argv = [sys.executable, "-m", "quarterdeck.cli.supervise", layout.root.name]
    spawn_supervisor(layout, [*argv, "--adopt"] if adopt else argv)
    return SupervisorClient(layout.api_socket)
