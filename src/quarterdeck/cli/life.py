"""``qd start|stop|restart|pause|resume|rm``: the life of machines."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from quarterdeck.cli import options
from quarterdeck.cli.output import Progress, results, say
from quarterdeck.errors import QuarterdeckError, UsageError


def start(
    name: options.Machine,
    attach: Annotated[bool, typer.Option("--attach", "-a", help="Stay in the foreground, as `qd run` does.")] = False,
    progress: options.ProgressMode = Progress.AUTO,
) -> None:
    """Boot a machine that is stopped, or take over one that lost its supervisor."""
    from quarterdeck.cli.attach import Attachment
    from quarterdeck.cli.reach import begin
    from quarterdeck.runtime.client import SupervisorClient
    from quarterdeck.runtime.state import RESTING
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    record, layout = store.get(name), store.layout(name)
    if record.supervised:
        client = SupervisorClient(layout.api_socket)
        if record.state in RESTING:
            client.request("POST", "/machine/start")
        elif not attach:
            say(f"{name} is {record.state} already.")
            return
    else:
        client = begin(layout)
    attachment = Attachment(layout, client, progress)
    if attach:
        raise typer.Exit(attachment.until_end())
    attachment.until_up()


def stop(
    names: options.Machines,
    timeout: options.Timeout = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Cut the power at once; the guest may lose data.")] = False,
) -> None:
    """Shut machines down: by the guest agent, else by the power button, and when that takes too long by cutting the power."""
    _each(names, lambda name: _stop(name, timeout, force=force))


def restart(names: options.Machines, timeout: options.Timeout = None) -> None:
    """Shut machines down and boot them again, with what changed in QEMU or the host since."""
    _each(names, lambda name: _act(name, "restart", _with_timeout(timeout)))


def pause(names: options.Machines) -> None:
    """Freeze machines where they are; `qd resume` goes on."""
    _each(names, lambda name: _act(name, "pause"))


def resume(names: options.Machines) -> None:
    """Let paused machines go on."""
    _each(names, lambda name: _act(name, "resume"))


def rm(
    names: options.Machines,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Also when it runs: cut its power first.")] = False,
) -> None:
    """Delete machines with their disks. Images that they were made from stay."""
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    for name in names:
        store.get(name)
    if not yes:
        _confirm(names)
    _each(names, lambda name: _remove(name, force=force))


def _remove(name: str, *, force: bool) -> None:
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    record = store.get(name)
    if force and (record.supervised or record.qemu_alive):
        _stop(name, None, force=True)
    store.remove(name)


def _confirm(names: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("not-confirmed", "deleting disks must be confirmed", reason="there is no terminal to ask on", hint="add --yes")
    if not typer.confirm(f"Delete {', '.join(names)} with all disks?", err=True):
        raise typer.Exit(1)


def _stop(name: str, timeout: float | None, *, force: bool) -> None:
    from quarterdeck.cli.reach import reach
    from quarterdeck.runtime.store import MachineStore

    record = MachineStore().get(name)
    if not record.supervised and not record.qemu_alive:
        say(f"{name} is {record.state} already.")
        return
    client = reach(name)
    client.request("POST", "/machine/kill" if force else "/machine/stop", None if force else _with_timeout(timeout))
    for _ in client.events():
        pass  # the stream ends with the supervisor


def _with_timeout(timeout: float | None) -> dict[str, Any]:
    return {} if timeout is None else {"timeout": timeout}


def _act(name: str, action: str, body: dict[str, Any] | None = None) -> None:
    from quarterdeck.cli.reach import reach

    reach(name).request("POST", f"/machine/{action}", body)


def _each(names: list[str], action: Any) -> None:
    """Do ``action`` for every machine, also when one fails; the first failure decides the exit code."""
    from quarterdeck.cli.output import show_error

    failed: QuarterdeckError | None = None
    for name in names:
        try:
            action(name)
            results.print(name, markup=False)
        except QuarterdeckError as error:
            show_error(error)
            failed = failed or error
    if failed is not None:
        raise typer.Exit(failed.exit_code)
