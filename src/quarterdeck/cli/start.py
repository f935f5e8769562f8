"""``qd start``: boot a machine that exists, or take one over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from quarterdeck.cli import options
from quarterdeck.cli.output import Progress, say
from quarterdeck.errors import QuarterdeckError
from quarterdeck.runtime.state import RESTING

if TYPE_CHECKING:
    from quarterdeck.machine.layout import MachineLayout
    from quarterdeck.runtime.client import SupervisorClient


def start(
    name: options.Machine,
    attach: Annotated[bool, typer.Option("--attach", "-a", help="Stay in the foreground, as `qd run` does.")] = False,
    progress: options.ProgressMode = Progress.AUTO,
) -> None:
    """Boot a machine that is stopped, or take over one that lost its supervisor.

    Returns when the guest runs. With **--attach** it stays, and Ctrl-C shuts the guest down.
    """
    from quarterdeck.cli.attach import Attachment
    from quarterdeck.cli.inbox import Inbox
    from quarterdeck.runtime.store import MachineStore

    layout, inbox = MachineStore().layout(name), Inbox()
    if attach:
        with inbox.signals():
            raise typer.Exit(Attachment(layout, inbox, progress).until_end(_supervised(name, layout)))
    before = MachineStore().get(name)
    if before.supervised and before.state not in RESTING:
        say(f"{name} is {before.state} already. Its console: qd open {name}")
        return
    Attachment(layout, inbox, progress).until_up(_supervised(name, layout))


def _supervised(name: str, layout: MachineLayout) -> SupervisorClient:
    """Return a client of the machine's supervisor, and see to it that the machine starts."""
    from quarterdeck.cli.reach import ENDING, begin
    from quarterdeck.runtime.client import SupervisorClient
    from quarterdeck.runtime.store import MachineStore

    record = MachineStore().get(name)
    if not record.supervised:
        if record.qemu_alive:
            say(f"The supervisor of {name} is gone: taking the machine over.", "yellow")
        return begin(layout)
    client = SupervisorClient(layout.api_socket)
    try:
        if record.state in RESTING:  # stopped on its page
            client.request("POST", "/machine/start")
    except QuarterdeckError as error:
        if error.key in ENDING:
            return begin(layout)
        if error.key != "wrong-state":  # then it is being started at this moment
            raise
    return client
