"""``qd stop|restart|pause|resume``: the life of machines."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli import options
from quarterdeck.cli.each import each


def stop(
    names: options.Machines,
    timeout: options.Timeout = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Cut the power at once; the guest may lose data.")] = False,
) -> None:
    """Shut machines down: by the guest agent, else by the power button, and when that takes too long by cutting the power."""
    from quarterdeck.cli.stopping import Stopping

    asked: dict[str, Stopping] = {}

    def ask(name: str) -> None:
        asked[name] = Stopping.ask(name, timeout, force=force)

    each(names, ask, lambda name: asked[name].wait())


def restart(names: options.Machines, timeout: options.Timeout = None) -> None:
    """Shut machines down and boot them again, with what changed in QEMU or the host since."""
    each(names, lambda name: _act(name, "restart", {} if timeout is None else {"timeout": timeout}))


def pause(names: options.Machines) -> None:
    """Freeze machines where they are; `qd resume` goes on."""
    each(names, lambda name: _act(name, "pause"))


def resume(names: options.Machines) -> None:
    """Let paused machines go on."""
    each(names, lambda name: _act(name, "resume"))


def _act(name: str, action: str, body: dict[str, Any] | None = None) -> None:
    from quarterdeck.cli.reach import reach

    reach(name).request("POST", f"/machine/{action}", body)
