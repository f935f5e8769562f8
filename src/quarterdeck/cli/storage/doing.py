"""One operation on a machine's disks: asked of its supervisor when it has one, else done here, with the machine's lock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from quarterdeck.cli.output import say
from quarterdeck.core.report import Event, Level, Message, Step
from quarterdeck.core.size import format_size

if TYPE_CHECKING:
    from quarterdeck.machine.layout import MachineLayout
    from quarterdeck.runtime.storage.service import Storage

_STEPS = ("backup", "clone", "restore")
_PERCENT = 10


def do(name: str, path: str, body: dict[str, Any], here: Callable[[Storage], Awaitable[Any]], *, quiet: bool = False) -> Any:
    """Post ``body`` to ``path`` of the machine's supervisor, or do ``here`` when it has none; return the answer.

    Ctrl-C ends the operation, and what it began is undone.

    Raises:
        QuarterdeckError: what the operation raised.
    """
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    record, layout = store.get(name), store.layout(name)
    show = Show(quiet=quiet)
    if record.supervised or record.qemu_alive:
        return _ask(name, layout, path, body, show)
    return _do_here(layout, here, show)


class Show:
    """Tells people how far an operation is, a line for every tenth."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._next: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case Message():
                if not self._quiet or event.level is not Level.INFO:
                    say(event.text, "yellow" if event.level is Level.WARNING else "dim")
            case Step():
                self._step(event)

    def _step(self, step: Step) -> None:
        if self._quiet or step.step not in _STEPS:
            return
        if not step.total:
            if step.total is None:
                say(f"{step.step}: {step.detail}", "dim")
            return
        percent = (step.done or 0) * 100 // step.total
        if percent >= self._next.get(step.step, _PERCENT):
            self._next[step.step] = percent // _PERCENT * _PERCENT + _PERCENT
            say(f"{step.step}: {percent} % of {format_size(step.total)}", "dim")


def _do_here(layout: MachineLayout, here: Callable[[Storage], Awaitable[Any]], show: Show) -> Any:
    from quarterdeck.runtime.storage.service import Storage
    from quarterdeck.runtime.store import lock_machine

    async def work() -> Any:
        return await here(Storage(layout, show))

    lock = lock_machine(layout)
    try:
        return asyncio.run(work())
    finally:
        os.close(lock)


def _ask(name: str, layout: MachineLayout, path: str, body: dict[str, Any], show: Show) -> Any:
    from quarterdeck.cli.reach import reach
    from quarterdeck.runtime.asking import ask

    reach(name)
    return asyncio.run(ask(layout.api_socket, path, body, steps=_STEPS, report=show))
