"""``qd stop|restart|pause|resume``: the life of machines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarterdeck.cli import options
from quarterdeck.cli.each import each
from quarterdeck.cli.output import say
from quarterdeck.errors import QemuError

if TYPE_CHECKING:
    from quarterdeck.runtime.store import MachineRecord


def stop(
    names: options.Machines,
    timeout: options.Timeout = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Cut the power at once; the guest may lose data.")] = False,
) -> None:
    """Shut machines down: by the guest agent, else by the power button, and when that takes too long by cutting the power."""
    from quarterdeck.runtime.store import MachineStore

    each(names, lambda name: stop_machine(MachineStore().get(name), timeout, force=force))


def restart(names: options.Machines, timeout: options.Timeout = None) -> None:
    """Shut machines down and boot them again, with what changed in QEMU or the host since."""
    each(names, lambda name: _act(name, "restart", _with_timeout(timeout)))


def pause(names: options.Machines) -> None:
    """Freeze machines where they are; `qd resume` goes on."""
    each(names, lambda name: _act(name, "pause"))


def resume(names: options.Machines) -> None:
    """Let paused machines go on."""
    each(names, lambda name: _act(name, "resume"))


def stop_machine(record: MachineRecord, timeout: float | None, *, force: bool) -> None:
    """Stop a machine and wait until its supervisor has given it back.

    Raises:
        QuarterdeckError: it runs on.
    """
    from quarterdeck.cli.reach import reach, supervisor_of, wait_until_gone
    from quarterdeck.runtime.store import MachineStore

    if not record.supervised and not record.qemu_alive:
        say(f"{record.name} is {record.state} already.")
        return
    client = reach(record.name)
    supervisor = supervisor_of(MachineStore().layout(record.name))
    asked = time.time()
    try:
        client.request("POST", "/machine/kill" if force else "/machine/stop", None if force else _with_timeout(timeout))
        for event in client.events():  # they end with the supervisor
            if event.type == "message" and event.data["time"] >= asked and not force:
                say(f"{record.name}: {event.data['text']}", "dim")
    except QemuError as error:
        if error.key != "supervisor-gone":
            raise
    wait_until_gone(supervisor)
    if MachineStore().get(record.name).qemu_alive:
        hint = f"take it over and try again: qd stop {record.name}"
        raise QemuError("supervisor-gone", f"the supervisor of '{record.name}' was killed, the machine runs on", hint=hint)


def _with_timeout(timeout: float | None) -> dict[str, Any]:
    return {} if timeout is None else {"timeout": timeout}


def _act(name: str, action: str, body: dict[str, Any] | None = None) -> None:
    from quarterdeck.cli.reach import reach

    reach(name).request("POST", f"/machine/{action}", body)
